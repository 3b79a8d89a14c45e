import type { AttributeChange, Attributes, RemoteState, Target, Value } from '../targets/target.ts';
import { type Stored, type StoredValue, storedText, toStored } from './stored.ts';

/** What is written of an entity: which attributes, and how they are compared. */
export interface Mapped {
  /** Every attribute of the mapping but references; undefined: whatever the view has. */
  readonly attributes: ReadonlySet<string> | undefined;
  /** Attributes that are stored as keyed hashes only. */
  readonly secret: ReadonlySet<string>;
  /** Attributes of which values that are not ours are left alone. */
  readonly merged: ReadonlySet<string>;
}

/** The changes that lead from what was last applied to what is desired. Values are compared in stored form. */
export function diffLink(desired: Attributes, link: Stored, mapped: Mapped, key: Buffer): AttributeChange[] {
  const wanted = toStored(desired, mapped.secret, key);
  return names(mapped, desired, link).flatMap((attribute): AttributeChange[] => {
    const now = new Set((wanted[attribute] ?? []).map(storedText));
    const before = new Set((link[attribute] ?? []).map(storedText));
    if (now.size === before.size && [...now].every((value) => before.has(value))) return [];
    if (!mapped.merged.has(attribute)) return [replace(attribute, desired[attribute])];
    const values = desired[attribute] ?? [];
    const added = values.filter((_, index) => !before.has(storedText(wanted[attribute]?.[index] ?? '')));
    const removed = (link[attribute] ?? []).filter((value) => !now.has(storedText(value)));
    return addAndDelete(attribute, added, removed.filter(isValue));
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
  return names(mapped, desired, known).flatMap((attribute): AttributeChange[] => {
    const wanted = desired[attribute] ?? [];
    const present = live.attributes[attribute] ?? [];
    if (!mapped.merged.has(attribute)) {
      if (isIdentical(wanted, present)) return [];
      const literal = link ? meant.has(attribute) : live.createdByUs === true;
      return !literal && target.same(attribute, wanted, present) ? [] : [replace(attribute, wanted)];
    }
    const lacks = (values: readonly Value[], value: Value) =>
      !values.some((other) => target.same(attribute, [value], [other]));
    const ours = (known[attribute] ?? []).filter(isValue);
    const removed = present.filter((value) => lacks(wanted, value) && !lacks(ours, value));
    return addAndDelete(
      attribute,
      wanted.filter((value) => lacks(present, value)),
      removed,
    );
  });
}

function isIdentical(left: readonly Value[], right: readonly Value[]): boolean {
  const there = new Set(right.map(storedText));
  return left.length === right.length && left.every((value) => there.has(storedText(value)));
}

function isValue(value: StoredValue): value is Value {
  return typeof value === 'string' || 'base64' in value;
}

/** The attributes to look at: those of the mapping, and what an earlier disable wrote. Others stay as they are. */
function names(mapped: Mapped, desired: Attributes, link: Stored): string[] {
  const known = mapped.attributes ?? new Set([...Object.keys(desired), ...Object.keys(link)]);
  return [...new Set([...known, ...Object.keys(desired)])];
}

/** Every attribute of the mapping written anew, whatever stands there. */
export function replaceAll(desired: Attributes, link: Stored, mapped: Mapped): AttributeChange[] {
  return names(mapped, desired, link).map((attribute) => replace(attribute, desired[attribute]));
}

function replace(attribute: string, values: readonly Value[] | undefined): AttributeChange {
  return { attribute, action: 'replace', values: values ?? [] };
}

function addAndDelete(attribute: string, added: readonly Value[], removed: readonly Value[]): AttributeChange[] {
  const changes: AttributeChange[] = [
    { attribute, action: 'add', values: added },
    { attribute, action: 'delete', values: removed },
  ];
  return changes.filter(({ values }) => values.length > 0);
}
