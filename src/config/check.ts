/**
 * What no schema can tell: whether the parts of a configuration fit each other. (Whether they fit the database, `apply`
 * tells.) Names are looked for in what was written, so that an entity with a mistake in it still counts as there.
 */
import { checkDeprovision } from './deprovision.ts';
import { checkDocumentPaths } from './document-paths.ts';
import { checkFile, checkFolders } from './file-check.ts';
import { quote } from './form.ts';
import { checkHooks } from './hook-names.ts';
import { checkHttp } from './http-check.ts';
import { checkLdapServer } from './ldap-server.ts';
import { namePattern } from './name.ts';
import { nearest } from './nearest.ts';
import { type Path, type Problem, valueAt } from './problem.ts';
import { disabledIdOf, remoteIdOf } from './remote-id.ts';
import type { AttributeConfig, Config, MappingConfig, TargetConfig } from './schema.ts';
import { checkScim } from './scim-check.ts';
import { parseTemplate, TemplateError } from './template.ts';
import { checkWebService } from './web-service.ts';

/** What is wrong, and what is allowed but unwise. */
export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Checks a configuration; `written` is the file's value before the environment was put in. */
export function checkConfig(config: Config, written: unknown): Findings {
  const targets = Object.entries(config.targets);
  const ldap = targets.flatMap(([name, target]) =>
    target.type === 'ldap' ? [checkLdapServer(target, ['targets', name], written)] : [],
  );
  const web = targets.flatMap(([name, target]) =>
    target.type === 'http' || target.type === 'scim' ? [checkWebService(target, ['targets', name])] : [],
  );
  return {
    problems: [
      ...checkNames(written),
      ...checkDatabase(config, written),
      ...targets.flatMap(([name, target]) => [
        ...checkAfter(name, config, written),
        ...checkCircles(target, ['targets', name]),
        ...checkKind(target, ['targets', name]),
        ...Object.entries(target.entities).flatMap(([entity, mapping]) => [
          ...checkEntity(entity, ['targets', name, 'entities', entity], written),
          ...checkMapping(mapping, ['targets', name, 'entities', entity], written),
          ...checkPaths(target, mapping, ['targets', name, 'entities', entity]),
          ...checkPassword(mapping, ['targets', name, 'entities', entity], written),
        ]),
      ]),
      ...checkFolders(config),
      ...checkHooks(config),
      ...[...ldap, ...web].flatMap((findings) => findings.problems),
    ],
    warnings: [...ldap, ...web].flatMap((findings) => findings.warnings),
  };
}

/** What only one kind of target can have wrong. */
function checkKind(target: TargetConfig, above: Path): Problem[] {
  switch (target.type) {
    case 'scim':
      return checkScim(target, above);
    case 'http':
      return checkHttp(target, above);
    case 'file':
      return checkFile(target, above);
    default:
      return [];
  }
}

function checkNames(written: unknown): Problem[] {
  const targets = namesIn(written, ['targets']).map((target): Path => ['targets', target, 'entities']);
  const places: Path[] = [['entities'], ['targets'], ...targets];
  return places.flatMap((place) =>
    namesIn(written, place)
      .filter((name) => !namePattern.test(name))
      .map((name): Problem => ({ path: [...place, name], at: 'key', message: `found ${quote(name)}, ${nameRule}` })),
  );
}

const nameRule = 'expected a name of 1 to 20 lower-case letters and digits, beginning with a letter';

function checkDatabase({ database }: Config, written: unknown): Problem[] {
  return (['url', 'listen'] as const)
    .filter(
      (key) =>
        valueAt(written, ['database', key]) !== undefined && !/^(postgres(ql)?|socket):/.test(database[key] ?? ''),
    )
    .map((key) => ({
      path: ['database', key],
      message: 'expected a connection string such as postgres://user@host:5432/database',
    }));
}

function checkAfter(name: string, config: Config, written: unknown): Problem[] {
  const targets = namesIn(written, ['targets']);
  return (config.targets[name]?.after ?? []).flatMap((other, index): Problem[] => {
    const path = ['targets', name, 'after', index];
    const found = `found ${quote(String(valueAt(written, path)))}`;
    if (!targets.includes(other))
      return [{ path, message: `${found}, expected one of the targets${list(other, targets)}` }];
    if (other === name) return [{ path, message: `${found}: a target cannot come after itself` }];
    const way = wayBack(config, other, name, [other]);
    return way ? [{ path, message: `${found}: a circle, ${[name, ...way].join(' after ')}` }] : [];
  });
}

/** The targets from one to another along `after`; undefined if it does not lead there. */
function wayBack(config: Config, from: string, to: string, gone: readonly string[]): readonly string[] | undefined {
  for (const next of config.targets[from]?.after ?? []) {
    if (next === to) return [...gone, to];
    const way = gone.includes(next) ? undefined : wayBack(config, next, to, [...gone, next]);
    if (way) return way;
  }
  return undefined;
}

function checkEntity(entity: string, path: Path, written: unknown): Problem[] {
  const entities = namesIn(written, ['entities']);
  if (entities.includes(entity)) return [];
  return [
    { path, at: 'key', message: `found ${quote(entity)}, expected one of the entities${list(entity, entities)}` },
  ];
}

function checkMapping(mapping: MappingConfig, above: Path, written: unknown): Problem[] {
  const attributes = Object.entries(mapping.attributes ?? {});
  const disable = Object.entries(mapping.disable?.attributes ?? {});
  const remoteId = remoteIdOf(mapping);
  const disabledId = disabledIdOf(mapping);
  return [
    ...checkTemplate(remoteId.template, [...above, remoteId.key]),
    ...attributes.flatMap(([name, attribute]) => checkAttribute(attribute, [...above, 'attributes', name], written)),
    ...checkTwice(Object.keys(mapping.attributes ?? {}), [...above, 'attributes']),
    ...(disabledId ? checkTemplate(disabledId.template, [...above, 'disable', disabledId.key]) : []),
    ...disable.flatMap(([name, template]) => checkTemplate(template, [...above, 'disable', 'attributes', name])),
    ...checkDeprovision(mapping, above, written),
  ];
}

/** The names of the attributes are paths where a target takes documents. */
function checkPaths(target: TargetConfig, mapping: MappingConfig, above: Path): Problem[] {
  const isDocument = target.type === 'script' || (target.type === 'file' && target.format === 'jsonl');
  return isDocument ? checkDocumentPaths(Object.keys(mapping.attributes ?? {}), [...above, 'attributes']) : [];
}

function checkPassword(mapping: MappingConfig, above: Path, written: unknown): Problem[] {
  const { password } = mapping;
  if (password === undefined) return [];
  const path = [...above, 'password'];
  const hasKey = valueAt(written, ['passwords']) !== undefined;
  const keyless: Problem[] = hasKey
    ? []
    : [{ path, message: 'passwords are taken only with a key: give `passwords: { key: … }` at the top of the file' }];
  if (password === true) return keyless;
  const attribute = Object.entries(mapping.attributes ?? {}).find(
    ([name, { kind, ...given }]) =>
      name.toLowerCase() === password.attribute.toLowerCase() &&
      (kind === 'reference' || !('policy' in given) || given.policy !== 'initial'),
  );
  if (!attribute) return keyless;
  const message = `${attribute[0]} is written from the view, too, which would take back what was handed over: expected \`policy: initial\` for it, or only one of the two`;
  return [...keyless, { path, message }];
}

function checkAttribute(attribute: AttributeConfig, path: Path, written: unknown): Problem[] {
  if (attribute.kind === 'reference') return checkReference(attribute, path, written);
  const secret = attribute.secret && attribute.policy === 'merge';
  const message =
    'found merge for a secret attribute, expected replace, initial or add: a value that is kept only as a hash cannot be taken out again';
  const place = typeof valueAt(written, path) === 'string' ? path : [...path, 'template'];
  return [
    ...(attribute.kind === 'template' ? checkTemplate(attribute.template, place) : []),
    ...(secret ? [{ path: [...path, 'policy'], message }] : []),
    ...(attribute.unique ? checkUnique(attribute, path) : []),
  ];
}

function checkUnique(attribute: Exclude<AttributeConfig, { kind: 'reference' }>, path: Path): Problem[] {
  const isConstant = attribute.kind === 'template' && !attribute.template.replaceAll('{{', '').includes('{');
  return [
    attribute.secret ? 'found unique for a secret attribute, expected one of the two: whose a value is, is told' : '',
    attribute.policy === 'add'
      ? 'found unique with the policy add, expected replace, initial or merge: what is never taken out is never free for another'
      : '',
    isConstant ? 'found unique for a constant, expected a template with a column: all would have the same' : '',
  ].flatMap((message) => (message ? [{ path: [...path, 'unique'], message }] : []));
}

function checkReference(
  attribute: Extract<AttributeConfig, { kind: 'reference' }>,
  path: Path,
  written: unknown,
): Problem[] {
  const entities = namesIn(written, path.slice(0, 3));
  if (entities.includes(attribute.ref)) return [];
  const found = quote(String(valueAt(written, [...path, 'ref'])));
  return [
    {
      path: [...path, 'ref'],
      message: `found ${found}, expected one of this target's entities${list(attribute.ref, entities)}`,
    },
  ];
}

/** Names of attributes know no case: `cn` and `CN` are one. */
function checkTwice(names: readonly string[], above: Path): Problem[] {
  return names.flatMap((name, index) => {
    const first = names.slice(0, index).find((other) => other.toLowerCase() === name.toLowerCase());
    if (first === undefined) return [];
    return [
      { path: [...above, name], at: 'key', message: `this is the attribute ${quote(first)} again; expected each once` },
    ];
  });
}

function checkTemplate(text: string, path: Path): Problem[] {
  try {
    parseTemplate(text);
    return [];
  } catch (error) {
    if (error instanceof TemplateError) return [{ path, message: `not a template: ${error.message}` }];
    throw error;
  }
}

/** Entries that need a member to be there, which needs one itself, and so on back to them, would never be made. */
function checkCircles({ entities }: TargetConfig, above: Path): Problem[] {
  const mappings: [string, MappingConfig][] = Object.entries(entities);
  const needs = mappings.flatMap(([from, { attributes }]) =>
    Object.entries(attributes ?? {}).flatMap(([name, attribute]) =>
      attribute.kind === 'reference' && attribute.empty === 'delete' ? [{ from, to: attribute.ref, name }] : [],
    ),
  );
  const leadsTo = (from: string, to: string, gone: readonly string[]): boolean =>
    from === to ||
    (!gone.includes(from) && needs.some((need) => need.from === from && leadsTo(need.to, to, [...gone, from])));
  return needs
    .filter(({ from, to }) => leadsTo(to, from, []))
    .map(({ from, to, name }) => ({
      path: [...above, 'entities', from, 'attributes', name, 'empty'],
      message: `found delete, expected placeholder or keep: ${from} needs ${to}, which in the end needs ${from}, so that none would ever be made`,
    }));
}

function namesIn(written: unknown, path: Path): string[] {
  const value = valueAt(written, path);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function list(name: string, names: readonly string[]): string {
  if (names.length === 0) return ' (there are none)';
  const near = nearest(name, names);
  return ` (${names.join(', ')})${near === undefined ? '' : `; did you mean ${quote(near)}?`}`;
}
