import type pg from 'pg';
import { nearest } from '../config/nearest.ts';
import type { Path, Problem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { describeViews, parseRelation } from './catalog.ts';
import type { Column, View, Views } from './column.ts';
import { type KeyType, keyType, keyTypeOf } from './key.ts';
import { attributesOf, type Mapping, mappingsOf, secretColumns, templatesOf } from './mapping.ts';
import { refusal } from './refusal.ts';
import { refuseMatch, refuseText, refuseValues } from './value.ts';
import { checkWriteBack } from './write-back.ts';

/** What is known of the views after checking: enough to compile where there is no problem. */
export interface Checked {
  /** Every mistake found. */
  readonly problems: Problem[];
  readonly views: Views;
  /** The key types of the entities whose key can be used. */
  readonly keyTypes: ReadonlyMap<string, KeyType>;
}

/**
 * Compares the configuration with the database: are the views there, may we read them, have they the columns that are
 * named, can these be what they are used as, does PostgreSQL accept the conditions? Finds every mistake, not the first
 * only. Must run in a transaction; leaves nothing behind.
 */
export async function checkMappings(client: pg.ClientBase, config: Config): Promise<Checked> {
  const views = await describeViews(client, config);
  const { problems, keyTypes } = checkKeys(config, views);
  const seen = new Set(Object.values(config.entities).map(({ view }) => view));
  for (const mapping of mappingsOf(config)) {
    const view = views.get(mapping.view);
    if (mapping.config.view !== undefined) {
      const missing = checkView(mapping.view, view, mapping.viewPath);
      if (missing && !seen.has(mapping.view)) problems.push(missing);
      if (view) problems.push(...checkOwnKey(mapping, view, keyTypes.get(mapping.entity)));
    }
    if (view)
      problems.push(
        ...checkColumns(mapping, view, keyTypes),
        ...(await checkQueries(client, mapping, view, keyTypes.get(mapping.entity))),
      );
    const told = await checkWriteBack(client, mapping);
    if (told) problems.push(told);
  }
  return { problems, views, keyTypes };
}

function checkKeys(config: Config, views: Views): { problems: Problem[]; keyTypes: Map<string, KeyType> } {
  const problems: Problem[] = [];
  const keyTypes = new Map<string, KeyType>();
  for (const [entity, { view: name, key }] of Object.entries(config.entities)) {
    const view = views.get(name);
    const missing = checkView(name, view, ['entities', entity, 'view']);
    if (missing) problems.push(missing);
    if (!view) continue;
    const type = keyIn(view, name, key);
    if ('message' in type) problems.push({ path: ['entities', entity, 'key'], message: type.message });
    else keyTypes.set(entity, type);
  }
  return { problems, keyTypes };
}

function checkView(name: string, view: View | undefined, path: Path): Problem | undefined {
  if (view?.readable) return undefined;
  if (view)
    return {
      path,
      message: `no right to read ${view.sql}; grant SELECT on it, and USAGE on its schema, to the role that runs Staffetta`,
    };
  if (!parseRelation(name)) return { path, message: `found "${name}", expected schema.name of a view` };
  return { path, message: `there is no view ${name} in this database; expected schema.name of a view or table` };
}

function keyIn(view: View, name: string, key: string): KeyType | { message: string } {
  const column = view.columns.get(key);
  if (!column) return { message: noColumn(view, name, key) };
  const type = keyTypeOf(column);
  return 'refused' in type ? { message: `column "${key}" of ${name} ${type.refused}` } : type;
}

/** A view of the mapping's own must have the entity's key, too. */
function checkOwnKey({ viewPath, view: name, key, entity }: Mapping, view: View, type: KeyType | undefined): Problem[] {
  const own = keyIn(view, name, key);
  if ('message' in own) return [{ path: viewPath, message: `${own.message} (the key of entity ${entity})` }];
  if (type === undefined || own.family === type.family) return [];
  const message = `column "${key}" of ${name} is of type ${own.sqlType}, but the key of entity ${entity} is of type ${type.sqlType}`;
  return [{ path: viewPath, message }];
}

/** Are the columns there that templates, attributes and `match` name, and of types that can be used so? */
function checkColumns(mapping: Mapping, view: View, keyTypes: ReadonlyMap<string, KeyType>): Problem[] {
  const { config, path, view: name } = mapping;
  const problems: Problem[] = [];
  const report = (place: Path, message: string | undefined) => {
    if (message !== undefined) problems.push({ path: place, message });
  };
  const refuse = (column: string, reason: (of: Column) => string | undefined) => {
    const described = view.columns.get(column);
    if (!described) return noColumn(view, name, column);
    const refused = reason(described);
    return refused && `column "${column}" of ${name} ${refused}`;
  };
  const secrets = secretColumns(mapping);
  const secret = ({ name: column }: Column) =>
    secrets.has(column)
      ? 'is secret (an attribute with `secret: true` uses it), and this is stored in plain text'
      : undefined;

  for (const { path: place, template, open } of templatesOf(mapping)) {
    const columns = new Set(template.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.column])));
    for (const column of columns)
      report(
        place,
        refuse(column, (of) => refuseText(of) ?? (open ? secret(of) : undefined)),
      );
    if (columns.size === 0 && (place.at(-1) === 'dn' || place.at(-1) === 'id'))
      report(
        place,
        `names no column, so that all would have the same name; expected one such as ${place.at(-1) === 'dn' ? '"uid={uid},ou=people,dc=example,dc=org"' : '"{id}"'}`,
      );
  }
  for (const [attribute, column] of Object.entries(config.match ?? {}))
    report(
      [...path, 'match', attribute],
      refuse(column, (of) => refuseMatch(of) ?? secret(of)),
    );
  for (const [attribute, of] of attributesOf(mapping, view)) {
    const place = config.attributes ? [...path, 'attributes', attribute, 'from'] : path;
    if (of.kind === 'column')
      report(
        place,
        refuse(of.from, (column) => refuseValues(column) ?? refuseForm(column, of)),
      );
    if (of.kind === 'reference')
      report(
        place,
        refuse(of.from, (column) => refuseReference(column, of.ref, keyTypes.get(of.ref))),
      );
  }
  const spellings = Map.groupBy(Object.keys(config.attributes ?? {}), (attribute) => attribute.toLowerCase());
  for (const [first, ...others] of spellings.values())
    for (const other of others)
      report([...path, 'attributes', other], `is the same attribute as ${first}; expected each once`);
  return problems;
}

/** A document has one value in a place, unless it is a list; what a SCIM resource has, its schema says. */
function refuseForm(column: Column, of: object): string | undefined {
  if (!column.array || !('as' in of) || of.as === undefined || of.as === 'list') return undefined;
  return `is an array (${column.type}); expected \`as: list\` beside it, or a column with one value`;
}

function refuseReference(column: Column, entity: string, type: KeyType | undefined): string | undefined {
  if (type === undefined) return undefined; // that entity's own mistake
  if (column.array && keyType(column.base)?.family === type.family) return undefined;
  return `is of type ${column.type}; expected an array of keys of entity ${entity}, ${type.sqlType}[]`;
}

/** Does PostgreSQL accept the SQL that the mapping is given? */
async function checkQueries(
  client: pg.ClientBase,
  { config, path, view: name }: Mapping,
  view: View,
  type: KeyType | undefined,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  if (config.only !== undefined && view.readable) {
    const refused = await refusal(client, `select from ${view.sql} v where (\n${config.only}\n)`);
    if (refused !== undefined)
      problems.push({ path: [...path, 'only'], message: `PostgreSQL refuses this condition on ${name}: ${refused}` });
  }
  if (config.revisit !== undefined) {
    const refused = await refusal(
      client,
      `select q.key::${type?.sqlType ?? 'text'}, q.at::timestamptz from (\n${config.revisit}\n) as q`,
    );
    if (refused !== undefined)
      problems.push({
        path: [...path, 'revisit'],
        message: `PostgreSQL refuses this query, expected one with the columns key and at: ${refused}`,
      });
  }
  return problems;
}

function noColumn(view: View, name: string, column: string): string {
  const near = nearest(column, view.columns.keys());
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `view ${name} has no column "${column}"${hint || ';'} It has: ${[...view.columns.keys()].join(', ')}`;
}
