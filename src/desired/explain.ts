import pg from 'pg';
import { z } from 'zod';
import { desiredName, type Mapping } from './mapping.ts';

/** A node of a plan, as `explain (format json, verbose)` writes it. */
interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string | undefined;
  readonly Schema?: string | undefined;
  readonly Plans?: readonly Plan[] | undefined;
}

const plan: z.ZodType<Plan> = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  Schema: z.string().optional(),
  get Plans() {
    return z.array(plan).optional();
  },
});
const answer = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: plan })]) })]);

/** Reading all of a table with fewer rows than this is not worth a warning. */
const few = 10_000;

/** So many keys are looked up at once, as a pump does. */
const batch = 500;

/**
 * Says if looking up keys in a mapping's desired view reads a whole big table instead of using an index (PROTOCOL B3);
 * undefined if all is well. Plans the daemon's own query without running it. Call it when the view has been made.
 */
export async function explainLoad(
  client: pg.ClientBase,
  mapping: Pick<Mapping, 'target' | 'entity'>,
  keyType: string,
): Promise<string | undefined> {
  const view = `staffetta.${pg.escapeIdentifier(desiredName(mapping))}`;
  const { rows } = await client.query(
    `explain (format json, verbose)
     select d.* from unnest(array_fill(null::${keyType}, array[${batch}])) k(key)
     left join lateral (select * from ${view} x where x.key = k.key offset 0) d on true`,
  );
  const [
    {
      'QUERY PLAN': [explained],
    },
  ] = answer.parse(rows);
  const scanned = [...scans(explained.Plan)];
  const sizes = await client.query<{ name: string; rows: string }>(
    `select distinct format('%I.%I', n.nspname, c.relname) as name, c.reltuples::bigint as rows
     from unnest($1::text[], $2::text[]) as s(schema, name)
     join pg_namespace n on n.nspname = s.schema join pg_class c on c.relnamespace = n.oid and c.relname = s.name
     where c.reltuples >= $3 order by 1`,
    [scanned.map(({ schema }) => schema), scanned.map(({ name }) => name), few],
  );
  if (sizes.rows.length === 0) return undefined;
  const tables = sizes.rows.map(({ name, rows }) => `${name} (about ${Number(rows).toLocaleString('en')} rows)`);
  return (
    `looking up a few ${mapping.entity} keys for ${mapping.target} reads all of ${tables.join(' and ')}; ` +
    'give the table an index on the columns that lead from the key to it, or write the view so that the key can reach it ' +
    '(a lateral subquery instead of one GROUP BY over everything)'
  );
}

/** The tables that a plan reads from one end to the other. */
function* scans(node: Plan): Generator<{ schema: string; name: string }> {
  const { Schema: schema, 'Relation Name': name } = node;
  if (node['Node Type'] === 'Seq Scan' && schema !== undefined && name !== undefined) yield { schema, name };
  for (const child of node.Plans ?? []) yield* scans(child);
}
