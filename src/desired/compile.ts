/**
 * Compiles each mapping to SQL (PROTOCOL D1): a function `…_rows()` that reads the administrator's view, and a view over
 * it. The function has a string body, no SET and no SECURITY DEFINER: so nothing depends on the administrator's view,
 * PostgreSQL writes the body into the query that uses it, where its indexes help, and a view or column that is missing
 * is an error, never an empty result.
 *
 * - `desired_<target>_<entity>` (key, released, remote_id, attributes, disable, match, fingerprint, open, secrets, hashes): a
 *   row for each row of the administrator's view; all but the key is NULL where the row is released. The attributes are
 *   those that anybody may see (open) and the secret ones; the hashes of these, not they, are in the fingerprint.
 * - `desired_<target>_<entity>_refs` (key, attribute, ref_key), if the mapping has references: the members.
 * - `desired_<target>_<entity>_secrets()`: the names of the attributes that nobody may see.
 */
import pg from 'pg';
import type { Config } from '../config/schema.ts';
import type { Generated } from '../database/generated.ts';
import type { Column, View, Views } from './column.ts';
import { keyTypeOf } from './key.ts';
import { attributesOf, columnOf, desiredName, type Mapping, mappingsOf } from './mapping.ts';
import { compileReferences, compileRows } from './rows.ts';

const { escapeIdentifier, escapeLiteral } = pg;

/** Compiles every mapping of a configuration in which `checkMappings` found no mistake. */
export function compileDesired(config: Config, views: Views): Generated[] {
  return mappingsOf(config).map((mapping) => {
    const view = views.get(mapping.view);
    if (!view) throw new Error(`view ${mapping.view} was not described`);
    return compileMapping(mapping, view);
  });
}

/** Statements that remove what was generated under a name, whether or not it is there. */
export function removeDesired(name: string): string[] {
  const object = (suffix: string) => `staffetta.${escapeIdentifier(`${name}${suffix}`)}`;
  return [
    `drop view if exists ${object('_refs')}`,
    `drop function if exists ${object('_refs_rows')}()`,
    `drop view if exists ${object('')}`,
    `drop function if exists ${object('_rows')}()`,
    `drop function if exists ${object('_secrets')}()`,
  ];
}

function compileMapping(mapping: Mapping, view: View): Generated {
  const name = desiredName(mapping);
  const key = columnOf(view, mapping.key);
  const type = keyTypeOf(key);
  if ('refused' in type) throw new Error(`column ${mapping.key} of ${mapping.view} ${type.refused}`);
  const secrets = attributesOf(mapping, view).flatMap(([attribute, config]) =>
    config.kind !== 'reference' && config.secret ? [attribute] : [],
  );
  const refs = compileReferences(mapping, view);
  const remove = removeDesired(name);
  return {
    kind: 'desired',
    name,
    remove,
    make: [
      ...remove,
      ...viewOver(
        name,
        `key ${type.sqlType}, released boolean, remote_id text, attributes jsonb, disable jsonb, match jsonb, fingerprint text, open text, secrets text, hashes text`,
        compileRows(mapping, view),
        key,
        ['released', 'remote_id', 'attributes', 'disable', 'match', 'fingerprint', 'open', 'secrets', 'hashes'],
        `What ${mapping.target} should hold for each ${mapping.entity} in ${mapping.view}; holds secrets`,
      ),
      ...(refs === undefined
        ? []
        : viewOver(
            `${name}_refs`,
            `key ${type.sqlType}, attribute text, ref_key text`,
            refs,
            key,
            ['attribute', 'ref_key'],
            `The members that each ${mapping.entity} should have on ${mapping.target}`,
          )),
      `create function staffetta.${escapeIdentifier(`${name}_secrets`)}() returns text[] language sql immutable as ${quoted(
        `select array[${secrets.map((secret) => escapeLiteral(secret)).join(', ')}]::text[]`,
      )}`,
      `revoke all on function staffetta.${escapeIdentifier(`${name}_secrets`)}() from public`,
    ],
  };
}

/** Statements that make a function `name_rows()` and a view `name` over it. */
function viewOver(
  name: string,
  columns: string,
  body: string,
  key: Column,
  others: readonly string[],
  comment: string,
): string[] {
  const view = `staffetta.${escapeIdentifier(name)}`;
  const rows = `staffetta.${escapeIdentifier(`${name}_rows`)}()`;
  // A function's result has no collation; without its own, an index on the key would not match.
  const keyColumn = key.collation === null ? 'r.key' : `r.key collate ${key.collation} as key`;
  return [
    `create function ${rows} returns table (${columns})\nlanguage sql stable parallel safe as ${quoted(body)}`,
    `revoke all on function ${rows} from public`,
    `create view ${view} as select ${[keyColumn, ...others.map((column) => `r.${column}`)].join(', ')} from ${rows} r`,
    `revoke all on ${view} from public`,
    `comment on view ${view} is ${escapeLiteral(comment)}`,
  ];
}

/** A function body between dollar signs, which leave it readable, with a tag that it does not contain. */
function quoted(body: string): string {
  let tag = '$staffetta$';
  for (let number = 1; body.includes(tag); number++) tag = `$staffetta${number}$`;
  return `${tag}${body}${tag}`;
}
