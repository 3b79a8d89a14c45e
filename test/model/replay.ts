/**
 * What a worker of the model does by itself between two statements: src/deliver/planner.ts, look.ts and send.ts, for
 * entries that have nothing but a remote id.
 */
import { type Id, type Ids, say, union, without } from './ids.ts';
import type { Answer, Operation, Phase, Result } from './state.ts';

/** `plan`: what is to be done for a key; `seen` is what was read of the target, if anybody looked. */
export function planned(
  desired: Id,
  link: Id,
  seen: { readonly live: Id; readonly stray: Id } | undefined,
): Operation | Result {
  const absent = desired === 0;
  if (seen && seen.stray > 0) return { kind: 'remove stray', from: seen.stray, to: 0, absent, link };
  const exists = seen ? seen.live : link;
  if (absent) {
    if (exists === 0) return { outcome: 'done', unsure: false, sent: 0, link: 0, reserved: 0 };
    return { kind: 'remove', from: exists, to: 0, absent, link };
  }
  if (exists === 0) return { kind: 'create', from: 0, to: desired, absent, link };
  if (exists !== desired) return { kind: 'rename', from: exists, to: desired, absent, link };
  if (link === 0) return { kind: 'adopt', from: exists, to: desired, absent, link };
  return { outcome: 'done', unsure: false, sent: 0, link: desired, reserved: desired };
}

/** `wishesOf`: the remote ids that a change writes under. */
export function wishes({ kind, from, to, link }: Operation): Ids {
  if (kind === 'create') return to;
  if (kind === 'rename') return link === 0 ? 3 : to;
  return kind === 'adopt' ? from : 0;
}

type Looking = Extract<Phase, { at: 'looking' }>;

/** `readPlaces`: reads one place more; where no link says which is the first, any may be. */
export function looks(
  phase: Looking,
  entries: Ids,
): { readonly what: string; readonly next: Looking | Operation | Result }[] {
  const { desired, link, places } = phase;
  const candidates = ([1, 2] as const).filter((place) => places & place);
  const first = candidates.filter((place) => place === link);
  return (first.length > 0 ? first : candidates).map((place) => {
    const found = (entries & place) > 0;
    const what = `reads ${say(place)}: ${found ? 'there' : 'not there'}`;
    const live = phase.live > 0 || !found ? phase.live : place;
    const stray = found && phase.live > 0 ? place : 0;
    const [left = 0] = candidates.filter((other) => other !== place);
    if (left === 0 || stray > 0) return { what, next: planned(desired, link, { live, stray }) };
    return { what, next: { ...phase, places: left, live } };
  });
}

/** The target makes a change, or says why not. */
export function performed(
  { kind, from, to }: Operation,
  entries: Ids,
): { readonly entries: Ids; readonly said: Answer } {
  switch (kind) {
    case 'create':
      return entries & to ? { entries, said: 'exists' } : { entries: union(entries, to), said: 'done' };
    case 'rename':
      if (!(entries & from)) return { entries, said: 'gone' };
      if (entries & to) return { entries, said: 'exists' };
      return { entries: union(without(entries, from), to), said: 'done' };
    case 'remove':
    case 'remove stray':
      return { entries: without(entries, from), said: 'done' };
    case 'adopt':
      return { entries, said: 'done' };
  }
}

/** `succeeded` and `failed`. */
export function resultOf({ kind, from, to, link }: Operation, answer: Exclude<Answer, 'none'>): Result {
  switch (answer) {
    case 'gone': // the entry is not what the link says: read it
      return { outcome: 'again', unsure: true, sent: 0, link: undefined, reserved: undefined };
    case 'exists': // refused for certain: `standing` stays reserved
      return { outcome: 'park', unsure: false, sent: 0, link: undefined, reserved: union(link, from) };
    case 'done':
      if (kind === 'remove stray')
        return { outcome: 'again', unsure: true, sent: from, link: undefined, reserved: undefined };
      if (kind === 'remove') return { outcome: 'done', unsure: false, sent: from, link: 0, reserved: 0 };
      return { outcome: 'done', unsure: false, sent: to, link: to, reserved: to };
  }
}

/** `failed`: unavailable, and it may have been done. */
export function timedOut({ kind, from, to }: Operation): Result {
  const sent = kind === 'create' || kind === 'rename' ? to : from;
  return { outcome: 'release', unsure: true, sent, link: undefined, reserved: undefined };
}
