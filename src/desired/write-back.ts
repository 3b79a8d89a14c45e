import type pg from 'pg';
import type { Problem } from '../config/problem.ts';
import { parseRelation } from './catalog.ts';
import type { Mapping } from './mapping.ts';

/** What a write-back function takes: entity, key, target, state, data. */
const writeBackArguments = '(text, text, text, text, jsonb)';

/** Is the function there that is told what became of an identity, and may we call it? */
export async function checkWriteBack(client: pg.ClientBase, { config, path }: Mapping): Promise<Problem | undefined> {
  const name = config.writeBack;
  if (name === undefined) return undefined;
  const wrong = (message: string): Problem => ({ path: [...path, 'writeBack'], message });
  const named = parseRelation(name);
  if (!named) return wrong(`found "${name}", expected schema.name of a function`);
  const { rows } = await client.query<{ arguments: string; takes: boolean; kind: string; callable: boolean }>(
    `select pg_get_function_identity_arguments(p.oid) as arguments, p.proargtypes = '25 25 25 25 3802'::oidvector as takes,
       p.prokind as kind, has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute') as callable
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1 and p.proname = $2 order by takes desc`,
    [named.schema, named.name],
  );
  const [found] = rows;
  const expected = `expected a function ${name}${writeBackArguments}: entity, key, target, state, data`;
  if (!found) return wrong(`there is no function ${name} in this database; ${expected}`);
  if (!found.takes) return wrong(`${name} takes (${found.arguments}); ${expected}`);
  if (found.kind !== 'f') return wrong(`${name} is no function; ${expected}`);
  if (found.callable) return undefined;
  return wrong(
    `no right to call ${name}; grant EXECUTE on it, and USAGE on its schema, to the role that runs Staffetta`,
  );
}
