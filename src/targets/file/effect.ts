/** What changes of attributes really do to an entry: what is so already is not told again. */
import type { AttributeChange, Attributes, Value } from '../target.ts';
import type { Rules } from './format.ts';

export interface Effect {
  readonly attributes: Attributes;
  /** The changes that do something, cut down to the values that do. */
  readonly changes: readonly AttributeChange[];
}

/** Makes changes one after the other, as a directory does (RFC 4511 §4.6). */
export function effectOf(rules: Rules, before: Attributes, changes: readonly AttributeChange[]): Effect {
  const attributes = new Map(Object.entries(before));
  const names = new Map([...attributes.keys()].map((name) => [rules.canonical(name), name]));
  const effective = changes.flatMap((change): AttributeChange[] => {
    const canonical = rules.canonical(change.attribute);
    const name = names.get(canonical) ?? change.attribute;
    const present = attributes.get(name) ?? [];
    const { told, left } = outcome(rules, change, present);
    if (told === undefined) return [];
    names.set(canonical, name);
    if (left.length === 0) attributes.delete(name);
    else attributes.set(name, left);
    return [{ ...change, values: told }];
  });
  return { attributes: Object.fromEntries(attributes), changes: effective };
}

/** What is told of a change, undefined where it does nothing, and the values that are left. */
function outcome(
  rules: Rules,
  { attribute, action, values }: AttributeChange,
  present: readonly Value[],
): { readonly told: readonly Value[] | undefined; readonly left: readonly Value[] } {
  const given = rules.held(attribute, values);
  const keys = (some: readonly Value[]) => new Set(some.map((value) => rules.keyOf(attribute, value)));
  if (action === 'replace') return { told: isSame(given, present) ? undefined : given, left: given };
  if (action === 'add') {
    const there = keys(present);
    const lacking = given.filter((value) => !there.has(rules.keyOf(attribute, value)));
    return { told: lacking.length > 0 ? lacking : undefined, left: [...present, ...lacking] };
  }
  const unwanted = keys(given);
  const [left, surplus] = [false, true].map((isUnwanted) =>
    present.filter((value) => unwanted.has(rules.keyOf(attribute, value)) === isUnwanted),
  );
  return { told: surplus && surplus.length > 0 ? surplus : undefined, left: left ?? [] };
}

/** To the letter, in any order: a change of case is one. */
function isSame(one: readonly Value[], other: readonly Value[]): boolean {
  const texts = new Set(other.map((value) => JSON.stringify(value)));
  return one.length === other.length && one.every((value) => texts.has(JSON.stringify(value)));
}
