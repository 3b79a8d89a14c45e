/**
 * What becomes of the entry of an identity that has left the view, its absence having been proven (PROTOCOL C1).
 *
 * For as long as `removeAfter` says, its delivery waits, for the identity may come back, also under another key (C2, C4).
 * Then comes the first step of `deprovision:`, and the next when its time has come, counted from the first proof. In
 * between nothing is owed: the link remembers since when its identity is absent, and a sweep finds the links whose next
 * step is due. Whichever step is the last that is due is taken; what it makes needless is left out.
 */
import type { Step } from '../config/steps.ts';
import { address, type Entry, isRenamed, update } from './change.ts';
import { diffLink, diffLive, whileDisabled } from './diff.ts';
import type { Disable, Link, Loaded } from './load.ts';
import type { Context, Live, NewLink, Plan, Write } from './plan.ts';
import { toStored } from './stored.ts';

/** Seconds after which a removal looks again whether the reconcile that it waits for is over. */
const reconcilePause = 10;

export function planAbsent({ claimed, link, wantedBy, meant }: Loaded, live: Live, context: Context): Plan {
  const { mapping } = context;
  if (!link && (live === undefined || live === 'absent')) return forgotten;
  if (wantedBy && live !== 'absent') return { do: 'hand over', to: wantedBy };
  const steps = stepsLeft(mapping.deprovision, link);
  const elapsed = link?.absentFor ?? claimed.absentFor;
  const wait = mapping.removeAfter - (elapsed ?? 0);
  if (steps.length > 0 && wait > 0) return { do: 'defer', seconds: wait };
  if (live === 'absent') return forgotten;
  // An entry that an interrupted attempt made has no link that could remember for how long.
  const due = link ? steps.findLast(({ after }) => (elapsed ?? 0) >= after) : steps[0];
  const entry = live ?? link;
  if (!entry) return forgotten;
  if (!due) return link ? planStanding(entry, link, live, steps.length > 0, context) : forgotten;
  if (!link && live?.createdByUs !== true) {
    const reason = `an entry stands at ${entry.remoteId} which an interrupted attempt may have created; it is not removed without proof: remove it by hand, or retry once its identity is back`;
    return { do: 'park', kind: 'unknown', reason };
  }
  if (claimed.reconcileOwed) return { do: 'defer', seconds: reconcilePause }; // PROTOCOL C6
  return due.do === 'delete'
    ? planRemoval(entry, context)
    : planDisable(entry, link ?? unrecorded(entry, meant), live, context);
}

const forgotten: Plan = { do: 'settle', operation: 'none', link: undefined, members: [] };

/** An entry is taken away. */
export function planRemoval(entry: Entry, { mapping }: Context): Write {
  return {
    do: 'write',
    operation: 'remove',
    change: { operation: 'remove', entity: mapping.entity, ...address(entry) },
    link: undefined,
    members: [],
  };
}

/** What the link of an entry would say that an interrupted attempt made. */
function unrecorded({ remoteId }: Entry, disable: Disable | undefined): Link {
  return {
    remoteId,
    stableId: null,
    state: 'active',
    attributes: {},
    fingerprint: null,
    disable: disable ?? null,
    absentFor: null,
    spared: false,
  };
}

/** What has not been done to the entry yet, to one that is disabled say, and is to be done at all. */
function stepsLeft(steps: readonly Step[], link: Link | undefined): readonly Step[] {
  if (link?.spared) return [];
  return link?.state === 'disabled' ? steps.filter((step) => step.do === 'delete') : steps;
}

/** Nothing is to be done, now or ever; the link remembers that its identity is absent. */
function planStanding(entry: Entry, link: Link, live: Live, goesOn: boolean, context: Context): Plan {
  if (link.state === 'disabled' && live) return planDisable(entry, link, live, context);
  if (link.state === 'active' && !goesOn) {
    const kept: NewLink = { ...link, state: 'kept', fingerprint: null, absent: true };
    return { do: 'settle', operation: 'keep', link: kept, members: [] };
  }
  const next: NewLink | 'leave' = link.absentFor === null ? { ...link, absent: true } : 'leave';
  return { do: 'settle', operation: 'none', link: next, members: [] };
}

function planDisable(entry: Entry, link: Link, live: Live, { mapping, target, secret }: Context): Plan {
  const { disable } = link;
  if (!disable)
    return {
      do: 'park',
      kind: 'rejected',
      reason: `how to disable ${entry.remoteId} was not recorded before its identity left; put the row back, or remove the entry by hand`,
    };
  const remoteId = disable.remote_id ?? entry.remoteId;
  const named = new Set(Object.keys(disable.attributes));
  const only = { ...mapping, attributes: named, policies: whileDisabled(mapping.policies, named) };
  const changes =
    live && live !== 'absent'
      ? diffLive(disable.attributes, live, link, only, { target, secret })
      : diffLink(disable.attributes, link.attributes, only, secret);
  const renamed = isRenamed(entry, remoteId, link, target);
  const attributes = { ...link.attributes, ...toStored(disable.attributes, only, secret) };
  const next: NewLink = { ...link, remoteId, state: 'disabled', attributes, fingerprint: null, absent: true };
  if (changes.length === 0 && !renamed) return { do: 'settle', operation: 'disable', link: next, members: [] };
  return {
    do: 'write',
    operation: 'disable',
    change: update(mapping.entity, entry, renamed ? remoteId : undefined, changes),
    link: next,
    members: [],
  };
}
