import { readdir, readFile } from 'node:fs/promises';
import { compileKeys, compileScope } from '../capture/keys.ts';
import type { Source } from '../capture/source.ts';
import { compileCapture } from '../capture/trigger.ts';
import type { Config } from '../config/schema.ts';
import { type Generated, hashOf } from '../database/generated.ts';
import type { Queryable } from '../database/transaction.ts';
import { compileDesired } from '../desired/compile.ts';
import type { Inspected } from './inspect.ts';

/** The folder of functions and views that are applied again by every `apply`, in order of name. */
const folder = new URL('../../sql/', import.meta.url);

/** What `apply` makes in the database, apart from the tables. */
export interface Wanted {
  /** `sql/*.sql`, as one object: what it says decides what every desired state means. */
  readonly library: { readonly files: readonly { name: string; text: string }[]; readonly hash: string };
  readonly captures: readonly { readonly source: Source; readonly object: Generated }[];
  readonly keys: readonly { readonly entity: string; readonly object: Generated }[];
  readonly scopes: readonly Generated[];
  readonly desired: readonly Generated[];
}

/** Compiles a configuration that was found right. */
export async function generate(config: Config, { sources, views }: Inspected): Promise<Wanted> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), 'utf8') })),
  );
  return {
    library: { files, hash: hashOf(...files.map(({ text }) => text)) },
    captures: sources.map((source) => ({ source, object: compileCapture(source) })),
    keys: sources.flatMap((source) =>
      source.feeds.map((feed) => ({ entity: feed.entity, object: compileKeys(source, feed) })),
    ),
    scopes: Object.keys(config.entities).map((entity) => compileScope(entity, sources)),
    desired: compileDesired(config, views),
  };
}

/** The hash by which a generated object is found unchanged. A table that was made again lost its triggers. */
export function hashOfObject(object: Generated, relation?: number): string {
  return hashOf(...object.make, String(relation ?? ''));
}

/**
 * What stands in the database: kind and name → hash. What somebody dropped does not, nor does a capture of which a
 * trigger is missing or does not fire: it has five, or four where one trigger sees to all of every UPDATE.
 */
export async function readGenerated(database: Queryable): Promise<Map<string, string>> {
  const { rows } = await database.query<{ kind: string; name: string; hash: string }>(
    `select kind, name, hash from staffetta.generated g
     where case kind
       when 'capture' then (
         select count(*) = case when bool_or(t.tgname = 'staffetta_u' and (t.tgtype & 1 = 1 or t.tgoldtable is not null)) then 4 else 5 end
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         where format('%I.%I', n.nspname, c.relname) = g.name and t.tgname ~ '^staffetta_[iukdt]$' and t.tgenabled in ('O', 'A'))
       when 'keys' then to_regprocedure(g.name || '(text[])') is not null
       when 'desired' then to_regclass(format('staffetta.%I', g.name)) is not null
       else true end`,
  );
  return new Map(rows.map(({ kind, name, hash }) => [objectKey(kind, name), hash]));
}

export function objectKey(kind: string, name: string): string {
  return `${kind} ${name}`;
}
