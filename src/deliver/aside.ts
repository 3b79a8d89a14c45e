import type { AttributeChange, Change, RemoteState } from '../targets/target.ts';
import type { Planned } from './adopt.ts';
import { address, update } from './change.ts';
import { policyOf } from './diff.ts';
import type { Context, Mapping, NewLink, Write } from './plan.ts';
import { isValue, type Stored, storedText } from './stored.ts';
import { uniqueIn } from './unique.ts';
import type { Wait } from './wait.ts';

/** An entry that we made for the key beside the one it has is taken away; then the key is looked at again. */
export function planStrayRemoval(stray: RemoteState, { mapping }: Context): Write {
  const change: Change = { operation: 'remove', entity: mapping.entity, ...address(stray) };
  return { do: 'write', operation: 'remove', change, link: 'leave', members: [] };
}

/**
 * A swap: the smallest key of a circle frees what it is about to give up anyway – the remote id under which its entry
 * stands, by stepping aside (PROTOCOL C4), and values of unique attributes – and waits for what it wants. Undefined where
 * it has done so already, or has no entry.
 */
export function planStepAside(
  intended: Write,
  { loaded: { claimed, link }, live }: Omit<Planned, 'plan'>,
  wait: Wait,
  context: Context,
): Write | undefined {
  const { mapping, target } = context;
  const { change, link: goal } = intended;
  if (change.operation !== 'update' || goal === 'leave') return undefined;
  const { remoteId } = change;
  const place = change.renameTo === undefined ? remoteId : target.aside(remoteId, claimed.key);
  const renamed = target.normalise(place) !== target.normalise(remoteId);
  const known = link ?? { state: 'active', attributes: {}, disable: goal?.disable ?? null };
  const standing = asItStands(known.attributes, uniqueIn(live, context), mapping);
  const given = givenUp(standing, goal?.attributes ?? {}, mapping);
  if (!renamed && given.changes.length === 0) return undefined;
  const next: NewLink = { ...known, remoteId: place, fingerprint: null, attributes: given.left };
  return {
    do: 'write',
    operation: 'step aside',
    change: update(mapping.entity, change, renamed ? place : undefined, given.changes),
    link: next,
    members: [],
    waitFor: wait,
  };
}

/** What is known of an entry, with its unique attributes as they were read, where nobody else has values in them. */
function asItStands(known: Stored, there: Stored | undefined, mapping: Mapping): Stored {
  const own = Object.entries(there ?? {}).filter(([attribute]) => policyOf(mapping, attribute) !== 'merge');
  return { ...known, ...Object.fromEntries(own) };
}

/**
 * The changes that take out, value by value, what of unique attributes will not be wanted any more, and what is left then.
 * A value of which only the hash is known cannot be named, and stays.
 */
function givenUp(
  known: Stored,
  goal: Stored,
  mapping: Mapping,
): { readonly changes: readonly AttributeChange[]; readonly left: Stored } {
  const given = [...mapping.unique].map((attribute) => {
    const wanted = new Set(goal[attribute]?.map(storedText));
    const values = (known[attribute] ?? []).filter((value) => !wanted.has(storedText(value))).filter(isValue);
    return { attribute, action: 'delete' as const, values };
  });
  const changes = given.filter(({ values }) => values.length > 0);
  const left = changes.map(({ attribute, values }) => {
    const gone = new Set(values.map(storedText));
    return [attribute, (known[attribute] ?? []).filter((value) => !gone.has(storedText(value)))] as const;
  });
  return { changes, left: { ...known, ...Object.fromEntries(left) } };
}
