/** The rules of LDIF flows: those by which the `ldap` target compares, without a server that could be asked for its schema. */
import { distinctValues, valueKey } from '../ldap/compare.ts';
import { formatDn, formatRdn, normaliseDn, parentDn, parseDn, type Rdn } from '../ldap/dn.ts';
import { afterRename, namingValues, withNaming } from '../ldap/naming.ts';
import { asideDn, normaliseRemoteId } from '../ldap/remote-id.ts';
import type { Schema } from '../ldap/schema.ts';
import { type Attributes, TargetError } from '../target.ts';
import { effectOf } from './effect.ts';
import type { Entry, Rename, Rules } from './format.ts';

export function dnRules(schema: Schema): Rules {
  const rules: Rules = {
    normalise: normaliseRemoteId,
    aside: asideDn,
    parent: (remoteId) => {
      const above = parentDn(parseDn(remoteId));
      return above === undefined || above.length === 0 ? undefined : normaliseDn(formatDn(above));
    },
    depth: (remoteId) => parseDn(remoteId).length,
    moved: (remoteId, above) => formatDn([...parseDn(remoteId).slice(0, 1), ...parseDn(above)]),
    canonical: (attribute) => schema.canonical(attribute),
    keyOf: (attribute, value) => valueKey(schema, attribute, value),
    held: (attribute, values) => distinctValues(schema, attribute, values),
    created: (remoteId, attributes) => {
      const named = Object.entries(withNaming(schema, remoteId, attributes));
      const held = named.map(([name, values]) => [name, distinctValues(schema, name, values)] as const);
      return Object.fromEntries(held.filter(([, values]) => values.length > 0));
    },
    renamed: (rename) => renamed(rules, schema, rename),
    require: (entry) => requireNaming(rules, entry),
  };
  return rules;
}

/** The old naming values go, the new ones come (deleteoldrdn); then what the changes still have to say (`afterRename`). */
function renamed(rules: Rules, schema: Schema, { from, to, attributes, changes }: Rename) {
  const [[oldRdn = []], [newRdn = []]] = [parseDn(from), parseDn(to)];
  if (formatRdn(oldRdn) === formatRdn(newRdn)) return { attributes, changes };
  const names = [...namingValues([...oldRdn, ...newRdn]).keys()];
  const before = Object.fromEntries(names.map((name) => [name, valuesOf(rules, attributes, name)]));
  const deleted = namingChanges(oldRdn, 'delete', (attribute, value) => has(rules, attributes, attribute, value));
  const without = effectOf(rules, attributes, deleted).attributes;
  const added = namingChanges(newRdn, 'add', (attribute, value) => !has(rules, without, attribute, value));
  return {
    attributes: effectOf(rules, without, added).attributes,
    changes: afterRename(schema, { from: oldRdn, to: newRdn, before }, changes),
  };
}

function namingChanges(rdn: Rdn, action: 'add' | 'delete', isNeeded: (attribute: string, value: string) => boolean) {
  return [...namingValues(rdn)].map(([attribute, values]) => ({
    attribute,
    action,
    values: values.filter((value) => isNeeded(attribute, value)),
  }));
}

/** An entry has the values that name it (RFC 4512 §2.3): a directory refuses another (results 64 and 67). */
function requireNaming(rules: Rules, { remoteId, attributes }: Pick<Entry, 'remoteId' | 'attributes'>): void {
  for (const [name, values] of namingValues(parseDn(remoteId)[0] ?? []))
    if (!values.every((value) => has(rules, attributes, name, value)))
      throw new TargetError('rejected', `attribute ${name} of ${remoteId} lacks the value that names the entry`);
}

function has(rules: Rules, attributes: Attributes, name: string, value: string): boolean {
  const key = rules.keyOf(name, value);
  return valuesOf(rules, attributes, name).some((other) => rules.keyOf(name, other) === key);
}

function valuesOf(rules: Rules, attributes: Attributes, name: string) {
  const canonical = rules.canonical(name);
  return Object.entries(attributes).find(([other]) => rules.canonical(other) === canonical)?.[1] ?? [];
}
