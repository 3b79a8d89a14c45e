/** How a column of a view is written as text and as the values of an attribute (PROTOCOL D3; the SQL is sql/010-value.sql). */
import pg from 'pg';
import type { Column } from './column.ts';

/** Types that `staffetta.text_of` writes, because a cast to text would depend on the session or not suit a directory. */
const written = new Set([
  'boolean',
  'date',
  'double precision',
  'inet',
  'interval',
  'money',
  'numeric',
  'real',
  'timestamp with time zone',
  'timestamp without time zone',
]);

/** The SQL of a column of the view, which generated queries call `v`. */
export function reference(column: Column): string {
  return `v.${pg.escapeIdentifier(column.name)}`;
}

/** Why a column can be no attribute; undefined if it can. */
export function refuseValues(column: Column): string | undefined {
  if (column.kind === 'base' || column.kind === 'enum') return undefined;
  return `is of type ${column.type}, whose text depends on settings; cast it to text in the view, in the form wanted`;
}

/** Why nothing can be recognised by a column; undefined if something can. */
export function refuseMatch(column: Column): string | undefined {
  if (column.array) return `is an array (${column.type}); an entry is recognised by one value`;
  return refuseValues(column);
}

/** Why a column can be no part of a template; undefined if it can. */
export function refuseText(column: Column): string | undefined {
  if (column.array)
    return `is an array (${column.type}); a template takes one value: use \`from\`, or join it to text in the view`;
  if (column.base === 'bytea') return 'is of type bytea, which has no text; use `from`, or encode it in the view';
  return refuseValues(column);
}

/** SQL for the text of a column with one value. */
export function textOf(column: Column): string {
  if (written.has(column.base)) return `staffetta.text_of(${reference(column)})`;
  // texts of different collations cannot be put together; those of the database's own collation can, with any
  return `${reference(column)}::text${column.collation === null ? '' : ' collate "C"'}`;
}

/** SQL for the values of a column: a JSON array, or NULL where there are none. */
export function valuesOf(column: Column): string {
  if (column.base === 'bytea')
    return `staffetta.values_of(${reference(column)}${column.array ? '::bytea[]' : '::bytea'})`;
  if (!column.array) return `staffetta.values_of(${textOf(column)})`;
  if (!written.has(column.base)) return `staffetta.values_of(${reference(column)}::text[])`;
  return `staffetta.values_of(array(select staffetta.text_of(e) from unnest(${reference(column)}) e))`;
}

/** SQL for the values of a secret column as hashes keyed with `key`, SQL too: a JSON array, or NULL (PROTOCOL D5). */
export function hashesOf(column: Column, key: string): string {
  if (column.array) return `staffetta.hashed(${key}, ${valuesOf(column)})`;
  if (column.base === 'bytea') return `staffetta.hashed(${key}, ${reference(column)}::bytea)`;
  return hashesOfText(textOf(column), key);
}

/** SQL for a secret text as its hash: a JSON array, or NULL. */
export function hashesOfText(text: string, key: string): string {
  return `staffetta.hashed(${key}, convert_to(${text}, 'UTF8'))`;
}

/** SQL for the same values whatever the row: a JSON array without empty and repeated ones, or NULL. */
export function constantValues(values: readonly string[]): string {
  const distinct = [...new Set(values.filter((value) => value !== ''))];
  return distinct.length === 0 ? 'null::jsonb' : `${pg.escapeLiteral(JSON.stringify(distinct))}::jsonb`;
}
