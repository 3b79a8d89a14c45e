import { address, type Entry, isRenamed, update } from './change.ts';
import { diffLink, diffLive } from './diff.ts';
import type { Link, Loaded } from './load.ts';
import type { Context, Live, NewLink, Plan } from './plan.ts';
import { toStored } from './stored.ts';

/** What becomes of the entry of an identity that has left the view, its absence having been proven (PROTOCOL C1, C2, C4). */
export function planAbsent(
  { claimed, link, wantedBy }: Loaded,
  live: Live,
  { mapping, target, secret }: Context,
): Plan {
  if (!link && (live === undefined || live === 'absent'))
    return { do: 'settle', operation: 'none', link: undefined, members: [] };
  if (wantedBy && live !== 'absent') return { do: 'hand over', to: wantedBy };
  if (mapping.deprovision === 'keep') {
    const kept = link && { ...link, state: 'kept' as const, fingerprint: null };
    return { do: 'settle', operation: link?.state === 'kept' ? 'none' : 'keep', link: kept, members: [] };
  }
  if (mapping.deprovision === 'disable' && link?.state === 'disabled' && live === undefined) {
    return { do: 'settle', operation: 'none', link: 'leave', members: [] };
  }
  const wait = mapping.removeAfter - (claimed.absentFor ?? 0);
  if (claimed.absentFor === null ? mapping.removeAfter > 0 : wait > 0) return { do: 'defer', seconds: wait };
  if (live === 'absent') return { do: 'settle', operation: 'none', link: undefined, members: [] };
  const entry = live ?? link;
  if (!entry) return { do: 'settle', operation: 'none', link: undefined, members: [] };
  if (!link && live?.createdByUs !== true) {
    const reason = `an entry stands at ${entry.remoteId} which an interrupted attempt may have created; it is not removed without proof: remove it by hand, or retry once its identity is back`;
    return { do: 'park', kind: 'unknown', reason };
  }
  if (mapping.deprovision === 'delete') {
    return {
      do: 'write',
      operation: 'remove',
      change: { operation: 'remove', entity: mapping.entity, ...address(entry) },
      link: undefined,
      members: [],
    };
  }
  return planDisable(entry, link, live, { mapping, target, secret });
}

function planDisable(entry: Entry, link: Link | undefined, live: Live, { mapping, target, secret }: Context): Plan {
  const disable = link?.disable;
  if (!disable)
    return {
      do: 'park',
      kind: 'rejected',
      reason: 'its link does not say how to disable it; put the row back, or remove the entry by hand',
    };
  const remoteId = disable.remote_id ?? entry.remoteId;
  const only = { ...mapping, attributes: new Set(Object.keys(disable.attributes)) };
  const changes =
    live && live !== 'absent'
      ? diffLive(disable.attributes, live, link, only, { target, secret })
      : diffLink(disable.attributes, link.attributes, only, secret);
  const renamed = isRenamed(entry, remoteId, link, target);
  const attributes = { ...link.attributes, ...toStored(disable.attributes, mapping.secret, secret) };
  const next: NewLink = { ...link, remoteId, state: 'disabled', attributes, fingerprint: null };
  if (changes.length === 0 && !renamed) return { do: 'settle', operation: 'disable', link: next, members: [] };
  return {
    do: 'write',
    operation: 'disable',
    change: update(mapping.entity, entry, renamed ? remoteId : undefined, changes),
    link: next,
    members: [],
  };
}
