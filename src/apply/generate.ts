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
 * What stands in the database: kind and name → hash. What somebody dropped does not, nor does a capture of which the
 * table or a partition lacks a trigger, or has one that does not fire when it should: each has five, or four where one
 * trigger sees to all of every UPDATE.
 */
export async function readGenerated(database: Queryable): Promise<Map<string, string>> {
  const { rows } = await database.query<{ kind: string; name: string; hash: string }>(
    `select kind, name, hash from staffetta.generated g
     where case kind
       when 'capture' then (
         select coalesce(bool_and(part.whole), false) from (
           select count(t.oid) = case when bool_or(t.tgname = 'staffetta_u' and (t.tgtype & 1 = 1 or t.tgoldtable is not null)) then 4 else 5 end as whole
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           cross join lateral (select c.oid union select relid from pg_partition_tree(c.oid)) as p(oid)
           join pg_class part on part.oid = p.oid and part.relkind in ('r', 'p')
           left join pg_trigger t on t.tgrelid = part.oid and t.tgname ~ '^staffetta_[iukdt]$'
             and t.tgenabled in ('A', case when t.tgnargs = 0 then 'O' end)
           where format('%I.%I', n.nspname, c.relname) = g.name group by part.oid) part)
       when 'keys' then to_regprocedure(g.name || '(text[])') is not null
       when 'desired' then to_regclass(format('staffetta.%I', g.name)) is not null
       else true end`,
  );
  return new Map(rows.map(({ kind, name, hash }) => [objectKey(kind, name), hash]));
}

export function objectKey(kind: string, name: string): string {
  return `${kind} ${name}`;
}
