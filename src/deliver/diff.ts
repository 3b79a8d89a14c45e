import type { Policy } from '../config/policies.ts';
import type { AttributeChange, Attributes, RemoteState, Target, Value } from '../targets/target.ts';
import { isSameStored, isValue, type Kept, type Stored, type StoredValue, storedText, toStored } from './stored.ts';

/** What is written of an entity: which attributes, and how they are compared. */
export interface Mapped extends Kept {
  /** Every attribute of the mapping but references; undefined: whatever the view has. */
  readonly attributes: ReadonlySet<string> | undefined;
}

/** The changes that lead from what was last applied to what is desired. Values are compared in stored form. */
export function diffLink(desired: Attributes, link: Stored, mapped: Mapped, key: Buffer): AttributeChange[] {
  const judge: Judge = ({ now, before }) => ({
    differs: now.size !== before.size || ![...now].every((value) => before.has(value)),
    knows: (value) => before.has(value),
  });
  const isSpared = (wanted: readonly StoredValue[], known: readonly StoredValue[]) =>
    wanted.length === known.length && wanted.every((value, at) => isSameStored(value, known[at]));
  return compareStored(desired, link, mapped, key, judge, isSpared);
}

/**
 * Every attribute of the mapping written anew, whatever stands there, for a target that cannot be read: it takes the
 * addition of a value that it has, and the deletion of one that it lacks.
 */
export function replaceAll(desired: Attributes, link: Stored, mapped: Mapped, key: Buffer): AttributeChange[] {
  const changes = compareStored(desired, link, mapped, key, () => ({ differs: true, knows: () => false }));
  // A value that comes in other letters is put in after the old ones were taken out.
  return changes.toSorted((one, other) => Number(other.action === 'delete') - Number(one.action === 'delete'));
}

/** How the stored forms of an attribute's values compare: `knows`, whether a value is there for certain. */
type Judge = (texts: { readonly now: ReadonlySet<string>; readonly before: ReadonlySet<string> }) => {
  readonly differs: boolean;
  readonly knows: (text: string) => boolean;
};

function compareStored(
  desired: Attributes,
  link: Stored,
  mapped: Mapped,
  key: Buffer,
  judge: Judge,
  /** Whether nothing is to be done, seen at once: of most attributes of a change. */
  isSpared: (wanted: readonly StoredValue[], known: readonly StoredValue[]) => boolean = () => false,
): AttributeChange[] {
  const stored = toStored(desired, mapped, key);
  return names(mapped, desired, link).flatMap((attribute) => {
    const wanted = stored[attribute] ?? [];
    const known = link[attribute] ?? [];
    if (isSpared(wanted, known)) return [];
    const now = new Set(wanted.map(storedText));
    const values = desired[attribute] ?? [];
    const { differs, knows } = judge({ now, before: new Set(known.map(storedText)) });
    return changesOf(attribute, policyOf(mapped, attribute), {
      values,
      differs,
      lacking: values.filter((_, index) => !knows(storedText(wanted[index] ?? ''))),
      surplus: known.filter((value) => !now.has(storedText(value))).filter(isValue),
    });
  });
}

/**
 * The changes that lead from a live entry to what is desired. Values are compared by the rules of the target, so that
 * an entry somebody else wrote is not rewritten for its case or spaces; where we know that the value was to change, or
 * that we wrote the entry, to the letter.
 */
export function diffLive(
  desired: Attributes,
  live: RemoteState,
  link: { readonly attributes: Stored } | undefined,
  mapped: Mapped,
  { target, secret }: { readonly target: Target; readonly secret: Buffer },
): AttributeChange[] {
  const known = link?.attributes ?? {};
  const meant = new Set(link ? diffLink(desired, known, mapped, secret).map(({ attribute }) => attribute) : []);
  return names(mapped, desired, known).flatMap((attribute) => {
    const values = desired[attribute] ?? [];
    const present = live.attributes[attribute] ?? [];
    const ours = (known[attribute] ?? []).filter(isValue);
    const literal = link ? meant.has(attribute) : live.createdByUs === true;
    const isIn = (value: Value, others: readonly Value[]) =>
      others.some((other) => target.same(attribute, [value], [other]));
    return changesOf(attribute, policyOf(mapped, attribute), {
      values,
      differs: !isIdentical(values, present) && (literal || !target.same(attribute, values, present)),
      lacking: values.filter((value) => !isIn(value, present)),
      surplus: present.filter((value) => !isIn(value, values) && isIn(value, ours)),
    });
  });
}

/**
 * Whether an entry has to the letter what is desired, so that `diffLive` finds no change, whatever the target's rules.
 * False proves nothing. `merged`: everything that is desired of attributes that others write, too, and nothing else, was
 * written by us before; what else they hold is then not ours to take out.
 */
export function holds(desired: Attributes, live: Attributes, mapped: Mapped, merged: boolean): boolean {
  return names(mapped, desired, mapped.attributes ? {} : live).every((attribute) => {
    const policy = policyOf(mapped, attribute);
    const values = desired[attribute] ?? [];
    const present = live[attribute] ?? [];
    const more = policy === 'add' || (policy === 'merge' && merged);
    return policy === 'initial' || (more ? isWithin(values, present) : isIdentical(values, present));
  });
}

/** How the values of an attribute differ from what is there. */
interface Difference {
  /** All that is desired. */
  readonly values: readonly Value[];
  readonly differs: boolean;
  /** Desired, and not there. */
  readonly lacking: readonly Value[];
  /** There, of ours, and no longer desired. */
  readonly surplus: readonly Value[];
}

function changesOf(attribute: string, policy: Policy, difference: Difference): AttributeChange[] {
  const { values, differs, lacking, surplus } = difference;
  switch (policy) {
    case 'replace':
      return differs ? [{ attribute, action: 'replace', values }] : [];
    case 'initial':
      return [];
    case 'add':
      return addAndDelete(attribute, lacking, []);
    case 'merge':
      return addAndDelete(attribute, lacking, surplus);
  }
}

/** What happens to the values that others give an attribute. */
export function policyOf({ policies }: Pick<Mapped, 'policies'>, attribute: string): Policy {
  return policies.get(attribute) ?? 'replace';
}

/**
 * The policies while an entry is disabled or comes back: what `disable:` names is written then, whatever is the target's
 * own, and taken out again.
 */
export function whileDisabled(policies: Mapped['policies'], names: Iterable<string>): Mapped['policies'] {
  const changed = new Map(policies);
  for (const name of names) {
    const policy = policies.get(name);
    if (policy === 'initial') changed.delete(name);
    if (policy === 'add') changed.set(name, 'merge');
  }
  return changed;
}

function isIdentical(left: readonly Value[], right: readonly Value[]): boolean {
  return left.length === right.length && isWithin(left, right);
}

function isWithin(some: readonly Value[], all: readonly Value[]): boolean {
  if (some.every((value, at) => isSameStored(value, all[at]))) return true; // as they mostly stand
  const there = new Set(all.map(storedText));
  return some.every((value) => there.has(storedText(value)));
}

/** The attributes to look at: those of the mapping, and what an earlier disable wrote. Others stay as they are. */
function names(mapped: Mapped, desired: Attributes, link: Stored): string[] {
  const known = mapped.attributes ?? new Set([...Object.keys(desired), ...Object.keys(link)]);
  return [...new Set([...known, ...Object.keys(desired)])];
}

function addAndDelete(attribute: string, added: readonly Value[], removed: readonly Value[]): AttributeChange[] {
  const changes: AttributeChange[] = [
    { attribute, action: 'add', values: added },
    { attribute, action: 'delete', values: removed },
  ];
  return changes.filter(({ values }) => values.length > 0);
}
