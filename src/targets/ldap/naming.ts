/** The attributes that name an entry: they stand in its DN and among its attributes, and must agree. */
import type { AttributeChange, Attributes, Value } from '../target.ts';
import { valueKey } from './compare.ts';
import { parseDn, type Rdn } from './dn.ts';
import type { Schema } from './schema.ts';

/** The values that an RDN gives to attributes, by their names there. */
export function namingValues(rdn: Rdn): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const naming of rdn) {
    if ('value' in naming) values.set(naming.type, [...(values.get(naming.type) ?? []), naming.value]);
  }
  return values;
}

/** The attributes of a new entry with those that name it, where they were left out. */
export function withNaming(schema: Schema, dn: string, attributes: Attributes): Attributes {
  const given = new Set(Object.keys(attributes).map((attribute) => schema.canonical(attribute)));
  const missing = [...namingValues(parseDn(dn)[0] ?? [])].filter(([type]) => !given.has(schema.canonical(type)));
  return { ...attributes, ...Object.fromEntries(missing) };
}

export interface Rename {
  readonly from: Rdn;
  readonly to: Rdn;
  /** The values of the naming attributes before the rename, by the names in `from` and `to`. */
  readonly before: Attributes;
}

/**
 * The changes that remain to be made after a rename, which itself took the old naming values away and added the new.
 * Where a naming attribute is replaced anyway, that stands. Where it is changed value by value, the outcome is written
 * whole, for the rename has changed what those values stand on. Where it is not mentioned, its other values stay; the old
 * value stays too if the new one had stood beside it before, or if the attribute no longer names the entry: it may be
 * wanted for itself.
 */
export function afterRename(schema: Schema, rename: Rename, changes: readonly AttributeChange[]): AttributeChange[] {
  let remaining = [...changes];
  const types = new Map(
    [...namingValues(rename.from), ...namingValues(rename.to)].map(([type]) => [schema.canonical(type), type]),
  );
  for (const [canonical, type] of types) {
    const own = remaining.filter((change) => schema.canonical(change.attribute) === canonical);
    if (own.some((change) => change.action === 'replace')) continue;
    const outcome = outcomeOf(schema, type, rename, own);
    if (outcome === undefined) continue;
    remaining = remaining.filter((change) => !own.includes(change));
    remaining.push({ attribute: own[0]?.attribute ?? type, action: 'replace', values: outcome });
  }
  return remaining;
}

/** The values that a naming attribute must end with; undefined where the rename leaves it right. */
function outcomeOf(schema: Schema, type: string, rename: Rename, own: readonly AttributeChange[]): Value[] | undefined {
  const keyOf = (value: Value): string => valueKey(schema, type, value);
  const valuesIn = (rdn: Rdn): string[] => {
    const entries = [...namingValues(rdn)].filter(([name]) => schema.canonical(name) === schema.canonical(type));
    return entries.flatMap(([, values]) => values);
  };
  const now = new Map(valuesIn(rename.to).map((value): [string, Value] => [keyOf(value), value]));
  const before = new Map((rename.before[type] ?? []).map((value): [string, Value] => [keyOf(value), value]));
  const wantedBefore = [...now.keys()].every((key) => before.has(key));
  if (own.length === 0 && !wantedBefore) return undefined;
  const outcome = new Map(before);
  for (const { action, values } of own) {
    for (const value of values) {
      if (action === 'delete') outcome.delete(keyOf(value));
      else outcome.set(keyOf(value), value);
    }
  }
  // As the DN writes them, so that a change of case arrives in the attribute as well.
  return [...new Map([...outcome, ...now]).values()];
}
