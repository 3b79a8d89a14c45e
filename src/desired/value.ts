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

/** SQL for the values of an attribute: a JSON array, or NULL where there are none. */
export interface Values {
  readonly jsonb: string;
  /** The text of that, which takes a fraction of the time where nothing else is wanted. */
  readonly text: string;
}

/** The values of a column. */
export function valuesOf(column: Column): Values {
  if (column.base === 'bytea') return valuesIn(`${reference(column)}${column.array ? '::bytea[]' : '::bytea'}`);
  if (!column.array) return valuesIn(textOf(column));
  if (!written.has(column.base)) return valuesIn(`${reference(column)}::text[]`);
  return valuesIn(`array(select staffetta.text_of(e) from unnest(${reference(column)}) e)`);
}

/** The values in an expression: text or bytea, or an array of these. */
export function valuesIn(expression: string): Values {
  return { jsonb: `staffetta.values_of(${expression})`, text: `staffetta.json_of(${expression})` };
}

/** The values of a secret column as hashes keyed with the installation's secret (PROTOCOL D5). */
export function hashesOf(column: Column): Values {
  if (column.array) return hashesIn(valuesOf(column).jsonb);
  if (column.base === 'bytea') return hashesIn(`${reference(column)}::bytea`);
  return hashesOfText(textOf(column));
}

/** A secret text as its hash. */
export function hashesOfText(text: string): Values {
  return hashesIn(`convert_to(${text}, 'UTF8')`);
}

/** The secret is a column of a subquery that can hide no row; as a subquery itself it would keep `hashed` out of the query. */
function hashesIn(expression: string): Values {
  const hashes = (name: string) => `(select staffetta.${name}(i.secret, ${expression}) from staffetta.installation i)`;
  return { jsonb: hashes('hashed'), text: hashes('hashed_json') };
}

/** The same values whatever the row, without empty and repeated ones. */
export function constantValues(values: readonly string[]): Values {
  const distinct = [...new Set(values.filter((value) => value !== ''))];
  if (distinct.length === 0) return { jsonb: 'null::jsonb', text: 'null::text' };
  const jsonb = `${pg.escapeLiteral(JSON.stringify(distinct))}::jsonb`;
  return { jsonb, text: `(${jsonb})::text` };
}
