import pg from 'pg';
import { disabledIdOf, remoteIdOf } from '../config/remote-id.ts';
import type { AttributeConfig } from '../config/schema.ts';
import { parseTemplate } from '../config/template.ts';
import type { View } from './column.ts';
import { keyType } from './key.ts';
import { attributesOf, columnOf, type Mapping } from './mapping.ts';
import { compileTemplate } from './template.ts';
import { constantValues, hashesOf, hashesOfText, reference, textOf, type Values, valuesIn, valuesOf } from './value.ts';

const { escapeLiteral } = pg;

/** What a value must go through to stand in a remote id, by kind of target. */
const escapes = {
  ldap: (expression: string) => `staffetta.rfc4514(${expression})`,
  script: (expression: string) => expression,
  http: (expression: string) => expression,
  scim: (expression: string) => expression,
  own: (expression: string) => expression,
} satisfies Record<Mapping['type'], (expression: string) => string>;

/** A function of PostgreSQL takes 100 arguments at most: so many names and values make one object. */
const pairsPerObject = 50;

/** A name and the SQL of what it stands for. */
type Pair = readonly [name: string, sql: string];

/** An attribute and the SQL of its values. */
type Attribute = readonly [name: string, values: Values];

/**
 * The query behind a desired view: (key, released, remote_id, attributes, disable, match, fingerprint, open, secrets, hashes).
 * The last three are texts of JSON: the attributes that are not secret, those that are, and the hashes of these. Rescans
 * and deliveries read nothing else of the attributes, since to build jsonb takes three times as long [measured].
 */
export function compileRows(mapping: Mapping, view: View): string {
  const { config, type } = mapping;
  const template = (source: string, escapeValue?: (expression: string) => string) =>
    compileTemplate(parseTemplate(source), (name) => textOf(columnOf(view, name)), escapeValue);
  const values = (source: string): Values => {
    const { parts } = parseTemplate(source);
    const constant = parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
    if (constant === undefined) return valuesIn(template(source));
    return constantValues(constant.trim() === '' ? [] : [constant]);
  };
  const { open, secret, hashes } = compileAttributes(mapping, view, template, values);
  const remoteId = (source: string) => template(source, escapes[type]);
  const cleared = (source: string) => `coalesce(${values(source).jsonb}, '[]')`;
  const disabledId = disabledIdOf(config);
  const disable =
    config.disable === undefined
      ? 'null::jsonb'
      : jsonObject([
          ['remote_id', disabledId === undefined ? 'null' : remoteId(disabledId.template)],
          [
            'attributes',
            jsonObject(Object.entries(config.disable.attributes).map(([name, to]) => [name, cleared(to)])),
          ],
        ]);
  const ifSecret = (object: string) => (secret.length > 0 ? object : 'null::text');
  const columns: Pair[] = [
    ['remote_id', remoteId(remoteIdOf(config).template)],
    ['attributes', objectOf([...open, ...secret])],
    ['open', textOfObject(open)],
    ['secrets', ifSecret(textOfObject(secret))],
    ['hashes', ifSecret(textOfObject(hashes))],
    ['disable', disable],
    ['match', compileMatch(mapping, view)],
  ];
  const inScope = (sql: string) => (config.only === undefined ? sql : `case when s.in_scope then ${sql} end`);
  return `
  ${header(mapping)}
  select d.key, d.released, d.remote_id, d.attributes, d.disable, d.match,
    case when not d.released then staffetta.fingerprint(d.remote_id, d.open, d.hashes, d.disable) end, d.open, d.secrets, d.hashes
  from (
    select ${keyExpression(mapping, view)} as key,
      ${config.only === undefined ? 'false' : 's.in_scope is not true'} as released,
      ${columns.map(([name, sql]) => `${inScope(sql)} as ${name}`).join(',\n      ')}
    from ${from(mapping, view)}
    where ${reference(columnOf(view, mapping.key))} is not null
  ) d
`;
}

/** By which values an existing entry is recognised; NULL where one is missing, for then nothing is. */
function compileMatch({ config }: Mapping, view: View): string {
  const pairs = Object.entries(config.match ?? {}).map(
    ([name, from]): Pair => [name, valuesOf(columnOf(view, from)).jsonb],
  );
  if (pairs.length === 0) return 'null::jsonb';
  const present = pairs.map(([, values]) => `${values} is not null`).join(' and ');
  return `case when ${present} then ${jsonObject(pairs.map(([name, values]) => [name, `${values} -> 0`]))} end`;
}

/** The attributes apart from references: those that may be seen, the secret ones, and the hashes of these. */
function compileAttributes(
  mapping: Mapping,
  view: View,
  template: (source: string) => string,
  values: (source: string) => Values,
): Record<'open' | 'secret' | 'hashes', Attribute[]> {
  const open: Attribute[] = [];
  const secret: Attribute[] = [];
  const hashes: Attribute[] = [];
  for (const [name, attribute] of attributesOf(mapping, view)) {
    if (attribute.kind === 'reference') continue;
    (attribute.secret ? secret : open).push([name, compileValues(attribute, view, values)]);
    if (!attribute.secret) continue;
    if (attribute.kind === 'column') hashes.push([name, hashesOf(columnOf(view, attribute.from))]);
    if (attribute.kind === 'template') hashes.push([name, hashesOfText(template(attribute.template))]);
  }
  return { open, secret, hashes };
}

function compileValues(
  attribute: Exclude<AttributeConfig, { kind: 'reference' }>,
  view: View,
  values: (source: string) => Values,
): Values {
  switch (attribute.kind) {
    case 'values':
      return constantValues(attribute.values);
    case 'template':
      return values(attribute.template);
    case 'column':
      return valuesOf(columnOf(view, attribute.from));
  }
}

/** The query behind the references of a mapping: (key, attribute, ref_key). Undefined where it has none. */
export function compileReferences(mapping: Mapping, view: View): string | undefined {
  const branches = attributesOf(mapping, view).flatMap(([name, attribute]) => {
    if (attribute.kind !== 'reference') return [];
    const column = columnOf(view, attribute.from);
    const canonical = keyType(column.base)?.canonical;
    if (!canonical) throw new Error(`column ${column.name} of ${mapping.view} holds no keys`);
    return [
      `  select ${keyExpression(mapping, view)}, ${escapeLiteral(name)}::text, m.ref_key
  from ${from(mapping, view)}
    cross join lateral (select distinct ${canonical('e')} as ref_key from unnest(${reference(column)}) e where octet_length(${canonical('e')}) <= staffetta.longest_key()) m
  where ${reference(columnOf(view, mapping.key))} is not null${mapping.config.only === undefined ? '' : ' and s.in_scope'}`,
    ];
  });
  if (branches.length === 0) return undefined;
  return `\n  ${header(mapping)}\n${branches.join('\n  union all\n')}\n`;
}

function header({ path }: Mapping): string {
  return `-- Generated by "staffetta apply" from ${path.join('.')}: change it there.`;
}

/** The key, uncast, with the guard that its type is still the one declared (PROTOCOL D2). */
function keyExpression({ key }: Mapping, view: View): string {
  const column = columnOf(view, key);
  return `staffetta.key_of_type(${reference(column)}, null::${column.type})`;
}

/** The view as `v` and, where the mapping has `only`, whether a row meets it as `s.in_scope`. */
function from({ config }: Mapping, view: View): string {
  if (config.only === undefined) return `${view.sql} v`;
  return `${view.sql} v cross join lateral (select (\n${config.only}\n    ) as in_scope) s`;
}

/** SQL for a JSON object of those attributes that have values. */
function objectOf(attributes: readonly Attribute[]): string {
  return `jsonb_strip_nulls(${jsonObject(attributes.map(([name, { jsonb }]) => [name, jsonb]))})`;
}

/** SQL for the text of that object, with the names in the order of jsonb: the shorter first. */
function textOfObject(attributes: readonly Attribute[]): string {
  const members = attributes
    .map(([name, { text }]) => ({
      name: Buffer.from(name),
      sql: `${escapeLiteral(`${JSON.stringify(name)}: `)} || ${text}`,
    }))
    .sort((a, b) => a.name.length - b.name.length || Buffer.compare(a.name, b.name))
    .map(({ sql }) => `        ${sql}`);
  const parts: string[] = [];
  for (let start = 0; start < members.length; start += pairsPerObject) {
    parts.push(`concat_ws(', ',\n${members.slice(start, start + pairsPerObject).join(',\n')})`);
  }
  const [only = `''`, ...more] = parts;
  const list = more.length === 0 ? only : `concat_ws(', ', ${parts.map((part) => `nullif(${part}, '')`).join(', ')})`;
  return `'{' || ${list} || '}'`;
}

/** SQL for a JSON object, a line for each name. */
function jsonObject(pairs: readonly Pair[]): string {
  if (pairs.length === 0) return `'{}'::jsonb`;
  const objects: string[] = [];
  for (let start = 0; start < pairs.length; start += pairsPerObject) {
    const lines = pairs
      .slice(start, start + pairsPerObject)
      .map(([name, value]) => `        ${escapeLiteral(name)}, ${value}`);
    objects.push(`jsonb_build_object(\n${lines.join(',\n')})`);
  }
  return objects.join(' || ');
}
