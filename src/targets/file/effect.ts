/**
 * What changes of attributes do to an entry, by the rules of a directory (RFC 4511 §4.6): what cannot be done to it as it
 * is – a value added that is there, one taken out that is not – was meant for another entry than this, and is refused, so
 * that whoever asks looks at the entry first.
 */
import { type AttributeChange, type Attributes, TargetError, type Value } from '../target.ts';
import type { Rules } from './format.ts';

export interface Effect {
  readonly attributes: Attributes;
  /** The changes that do something. */
  readonly changes: readonly AttributeChange[];
}

/** Makes changes one after the other. Throws `converged` for one that does not fit the entry. */
export function effectOf(rules: Rules, before: Attributes, changes: readonly AttributeChange[]): Effect {
  const attributes = new Map(Object.entries(before));
  const names = new Map([...attributes.keys()].map((name) => [rules.canonical(name), name]));
  const effective = changes.flatMap((change): AttributeChange[] => {
    const { attribute } = change;
    const canonical = rules.canonical(attribute);
    const name = names.get(canonical) ?? attribute;
    const present = attributes.get(name) ?? [];
    const values = rules.held(attribute, change.values);
    if (change.action === 'replace' ? isSame(values, present) : values.length === 0) return [];
    const left = outcome(rules, { ...change, values }, present);
    names.set(canonical, name);
    if (left.length === 0) attributes.delete(name);
    else attributes.set(name, left);
    return [{ ...change, values }];
  });
  return { attributes: Object.fromEntries(attributes), changes: effective };
}

/** The values that are left. */
function outcome(
  rules: Rules,
  { attribute, action, values }: AttributeChange,
  present: readonly Value[],
): readonly Value[] {
  if (action === 'replace') return values;
  const there = new Set(present.map((value) => rules.keyOf(attribute, value)));
  const given = new Set(values.map((value) => rules.keyOf(attribute, value)));
  const fits = action === 'add' ? there.isDisjointFrom(given) : given.isSubsetOf(there);
  if (!fits) {
    const what =
      action === 'add' ? 'has a value already that was to be added' : 'lacks a value that was to be taken out';
    throw new TargetError('converged', `${attribute} ${what}`);
  }
  if (action === 'add') return [...present, ...values];
  return present.filter((value) => !given.has(rules.keyOf(attribute, value)));
}

/** To the letter, in any order: a change of case is one. */
function isSame(one: readonly Value[], other: readonly Value[]): boolean {
  const texts = new Set(other.map((value) => JSON.stringify(value)));
  return one.length === other.length && one.every((value) => texts.has(JSON.stringify(value)));
}
