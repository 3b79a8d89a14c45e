import type { Config } from '../config/schema.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Column, View, Views } from './column.ts';

/**
 * One row per column. `step` looks through domains and, once, into an array: what remains is the type of one value.
 * Types are named with their schema whatever the search path, so that the name means the same to everybody.
 */
const statement = `
with recursive relation as (
  select r.number, c.oid, format('%I.%I', n.nspname, c.relname) as sql,
    has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
  from unnest($1::text[], $2::text[]) with ordinality as r(schema, name, number)
  join pg_namespace n on n.nspname = r.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = r.name and c.relkind in ('r', 'v', 'm', 'f', 'p')),
attribute as (
  select r.number, r.sql, r.readable, a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation
  from relation r left join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped),
step(number, attnum, type, modifier, is_array) as (
  select number, attnum, atttypid, atttypmod, false from attribute where attnum is not null
  union all
  select s.number, s.attnum, case t.typtype when 'd' then t.typbasetype else t.typelem end,
    case t.typtype when 'd' then t.typtypmod else s.modifier end, s.is_array or t.typtype <> 'd'
  from step s join pg_type t on t.oid = s.type
  where t.typtype = 'd' or (t.typsubscript = 'array_subscript_handler'::regproc and not s.is_array)),
value as (
  select s.* from step s join pg_type t on t.oid = s.type
  where t.typtype <> 'd' and (s.is_array or t.typsubscript <> 'array_subscript_handler'::regproc))
select a.number::int, a.sql, a.readable, a.attname as name, v.is_array as array,
  case when dn.nspname = 'pg_catalog' or v.is_array then format_type(d.oid, null) else format('%I.%I', dn.nspname, d.typname) end as type,
  case when tn.nspname = 'pg_catalog' then format_type(t.oid, null) else format('%I.%I', tn.nspname, t.typname) end as base,
  case when tn.nspname = 'pg_catalog' then format_type(t.oid, v.modifier) else format('%I.%I', tn.nspname, t.typname) end as exact,
  case t.typtype when 'b' then 'base' when 'e' then 'enum' when 'c' then 'composite' when 'p' then 'pseudo' else 'range' end as kind,
  case when c.oid <> 'pg_catalog."default"'::regcollation then format('%I.%I', cn.nspname, c.collname) end as collation,
  coalesce(c.collisdeterministic, true) as deterministic
from attribute a
left join value v on v.number = a.number and v.attnum = a.attnum
left join pg_type d on d.oid = a.atttypid
left join pg_namespace dn on dn.oid = d.typnamespace
left join pg_type t on t.oid = v.type
left join pg_namespace tn on tn.oid = t.typnamespace
left join pg_collation c on c.oid = a.attcollation
left join pg_namespace cn on cn.oid = c.collnamespace
order by a.number, a.attnum`;

type Row = { number: number; sql: string; readable: boolean } & (Column | { name: null });

/** A name as PostgreSQL reads it: quoted exactly, else in lower case. */
const identifier = String.raw`(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))`;
const qualified = new RegExp(`^${identifier}\\.${identifier}$`, 'u');

/** Schema and name of a relation written as `schema.name`, quoted or not; undefined where it is not written so. */
export function parseRelation(text: string): { schema: string; name: string } | undefined {
  const [match, quotedSchema, plainSchema, quotedName, plainName] = qualified.exec(text) ?? [];
  if (match === undefined) return undefined;
  return { schema: unquote(quotedSchema, plainSchema), name: unquote(quotedName, plainName) };
}

function unquote(quoted: string | undefined, plain: string | undefined): string {
  // PostgreSQL folds ASCII letters only
  return quoted?.replaceAll('""', '"') ?? (plain ?? '').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Describes every view that the configuration names, with one query. */
export async function describeViews(client: Queryable, config: Config): Promise<Views> {
  const texts = new Set([
    ...Object.values(config.entities).map(({ view }) => view),
    ...Object.values(config.targets).flatMap(({ entities }) =>
      Object.values(entities).flatMap(({ view }) => view ?? []),
    ),
  ]);
  const relations = [...texts].flatMap((text) => {
    const relation = parseRelation(text);
    return relation ? [{ text, ...relation }] : [];
  });
  const { rows } = await client.query<Row>(statement, [
    relations.map(({ schema }) => schema),
    relations.map(({ name }) => name),
  ]);
  const views = new Map<string, View>();
  for (const [index, { text }] of relations.entries()) {
    const ours = rows.filter(({ number }) => number === index + 1);
    const [first] = ours;
    if (!first) continue;
    const columns = new Map<string, Column>();
    for (const row of ours) {
      if (row.name === null) continue;
      const { name, type, base, exact, array, kind, collation, deterministic } = row;
      columns.set(name, { name, type, base, exact, array, kind, collation, deterministic });
    }
    views.set(text, { sql: first.sql, readable: first.readable, columns });
  }
  return views;
}
