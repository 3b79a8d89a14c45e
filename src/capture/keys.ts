import pg from 'pg';
import { type Generated, hashOf } from '../database/generated.ts';
import { parseRelation } from '../desired/catalog.ts';
import { type Feed, type Source, slug } from './source.ts';

const { escapeIdentifier } = pg;

/** The function that turns the captured columns of a source into keys of an entity. */
export function keysFunction(source: string, entity: string): string {
  return `staffetta.${escapeIdentifier(`keys_${entity}_${slug(source, hashOf)}`)}`;
}

/**
 * `keys_…(cols text[]) returns setof text`: key expression, `resolve` and canonical form, evaluated at ingest and not
 * in the trigger (PROTOCOL A5). A string body has no dependency on the administrator's tables: they may be dropped and
 * made again, and a missing one is an error of this source alone (PROTOCOL A10).
 */
export function compileKeys(source: Source, feed: Feed): Generated {
  const name = keysFunction(source.name, feed.entity);
  const alias = escapeIdentifier(tableName(source.name));
  const columns = source.columns.map(
    ({ name, type }, index) => `cols[${index + 1}]::${type} as ${escapeIdentifier(name)}`,
  );
  const row = `(select ${columns.join(', ')}) as ${alias}`;
  const argument = `(array[(select (${feed.expression}) from ${row})]::${feed.type}[])`;
  const keys = feed.resolve
    ? `select ${feed.canonical('r.k')}\n  from (\n${feed.resolve.query.replaceAll('$1', () => argument)}\n  ) as r(k)`
    : `select ${feed.canonical(`(${feed.expression})`)}\n  from ${row}`;
  return {
    kind: 'keys',
    name,
    make: [
      `create or replace function ${name}(cols text[]) returns setof text language sql stable as ${pg.escapeLiteral(keys)}`,
      `revoke all on function ${name}(text[]) from public`,
    ],
    remove: removeKeys(name),
  };
}

/**
 * `scope_keys_<entity>() returns setof text`: the keys of every row of the sources that name keys directly (without
 * `resolve`). Whoever is here and not in the view is captured, but out of scope.
 */
export function compileScope(entity: string, sources: readonly Source[]): Generated {
  const name = `staffetta.${escapeIdentifier(`scope_keys_${entity}`)}`;
  const direct = sources.filter((source) => source.feeds.some((feed) => feed.entity === entity && !feed.resolve));
  const keys = direct.map((source) => {
    const columns = source.columns.map((column) => `s.${escapeIdentifier(column.name)}::text`).join(', ');
    return `select k.key from ${source.name} s cross join lateral ${keysFunction(source.name, entity)}(array[${columns}]) as k(key)`;
  });
  const body = keys.length > 0 ? keys.join('\nunion all\n') : 'select null::text where false';
  return {
    kind: 'scope',
    name,
    make: [
      `create or replace function ${name}() returns setof text language sql stable as ${pg.escapeLiteral(body)}`,
      `revoke all on function ${name}() from public`,
    ],
    remove: removeScope(name),
  };
}

/** Statements that remove a function that `compileScope` made. */
export function removeScope(name: string): string[] {
  return [`drop function if exists ${name}()`];
}

/** Statements that remove a function that `compileKeys` made. */
export function removeKeys(name: string): string[] {
  return [`drop function if exists ${name}(text[])`];
}

/** The unqualified name of a table, so that a key expression may say `person.id` as well as `id`. */
function tableName(source: string): string {
  return parseRelation(source)?.name ?? source;
}
