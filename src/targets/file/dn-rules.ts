/** The rules of LDIF flows: those by which the `ldap` target compares, without a server that could be asked for its schema. */

import { distinctValues, valueKey } from '../ldap/compare.ts';
import { formatDn, formatRdn, normaliseDn, parentDn, parseDn, type Rdn } from '../ldap/dn.ts';
import { afterRename, namingValues, withNaming } from '../ldap/naming.ts';
import { asideDn, normaliseRemoteId } from '../ldap/remote-id.ts';
import type { Schema } from '../ldap/schema.ts';
import type { Attributes } from '../target.ts';
import { effectOf } from './effect.ts';
import type { Rename, Rules } from './format.ts';

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
  };
  return rules;
}

/** The old naming values go, the new ones come (deleteoldrdn); then what the changes still have to say (`afterRename`). */
function renamed(rules: Rules, schema: Schema, { from, to, attributes, changes }: Rename) {
  const [[oldRdn = []], [newRdn = []]] = [parseDn(from), parseDn(to)];
  if (formatRdn(oldRdn) === formatRdn(newRdn)) return { attributes, changes };
  const names = [...namingValues([...oldRdn, ...newRdn]).keys()];
  const before = Object.fromEntries(names.map((name) => [name, valuesOf(rules, attributes, name)]));
  const moved = effectOf(rules, attributes, [...changesTo(oldRdn, 'delete'), ...changesTo(newRdn, 'add')]);
  return {
    attributes: moved.attributes,
    changes: afterRename(schema, { from: oldRdn, to: newRdn, before }, changes),
  };
}

function changesTo(rdn: Rdn, action: 'add' | 'delete') {
  return [...namingValues(rdn)].map(([attribute, values]) => ({ attribute, action, values }));
}

function valuesOf(rules: Rules, attributes: Attributes, name: string) {
  const canonical = rules.canonical(name);
  return Object.entries(attributes).find(([other]) => rules.canonical(other) === canonical)?.[1] ?? [];
}
