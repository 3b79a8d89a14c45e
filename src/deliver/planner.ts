/**
 * What is to be done for one key, given everything that was read of it. Pure: planning asks nobody anything.
 *
 * Read from top to bottom: the identity is in scope (write it), released (let go of it), or proven absent (deprovision
 * it). A key that is not sure of its link is planned against the live entry, never against the link (PROTOCOL B5).
 */
import type { Change } from '../targets/target.ts';
import { isRenamed, update } from './change.ts';
import { planAbsent, planRemoval } from './deprovision.ts';
import { diffLink, diffLive, policyOf, replaceAll, whileDisabled } from './diff.ts';
import type { Desired, Link, Loaded } from './load.ts';
import { changedMembers, comparedMembers, initialMembers, isEmptied, recordedMembers } from './members.ts';
import type { Context, Live, Mapping, NewLink, Plan } from './plan.ts';
import type { Members } from './references.ts';
import { type Stored, toStored } from './stored.ts';

export function plan(loaded: Loaded, live: Live, members: Members | undefined, context: Context): Plan {
  const { desired, link } = loaded;
  if (desired === undefined) return planAbsent(loaded, live, context);
  if (desired.released) return { do: 'settle', operation: link ? 'release' : 'none', link: undefined, members: [] };
  if (desired.remoteId === null) {
    const reason =
      'a column in the template of its remote id is NULL or empty; give it a value, or keep the row out of the view';
    return { do: 'park', kind: 'rejected', reason };
  }
  if (isEmptied(context.mapping.references, members)) return planEmptied(loaded, live, members, context);
  return planDesired({ ...loaded, desired }, desired.remoteId, live, members, context);
}

/** There is to be no entry as long as it has no member, but who they are stays known. Only an entry of ours is removed. */
function planEmptied({ link }: Loaded, live: Live, members: Members | undefined, context: Context): Plan {
  const settled = { members: recordedMembers(members), holds: true } as const;
  const entry = live === 'absent' ? undefined : (live ?? link);
  const isOurs = link !== undefined || (live !== 'absent' && live?.createdByUs === true);
  if (entry && isOurs) return { ...planRemoval(entry, context), ...settled };
  return { do: 'settle', operation: 'none', link: link ? undefined : 'leave', ...settled };
}

function planDesired(
  { claimed, desired, link }: Loaded & { readonly desired: Desired },
  remoteId: string,
  live: Live,
  members: Members | undefined,
  context: Context,
): Plan {
  const { target, secret } = context;
  const mapping = withDisabled(context.mapping, link);
  const exists = live === 'absent' ? undefined : (live ?? link);
  const attributes = desired.attributes ?? {};
  if (!exists) {
    const initial = initialMembers(mapping.references, members);
    const change: Change = {
      operation: 'create',
      entity: mapping.entity,
      remoteId,
      attributes: { ...attributes, ...initial.attributes },
    };
    return {
      do: 'write',
      operation: 'create',
      change,
      link: { ...newLink(remoteId, desired), attributes: toStored(attributes, mapping, secret) },
      members: initial.settled,
    };
  }
  const read = live === 'absent' ? undefined : live;
  const blind = claimed.unsure && live === undefined; // the target cannot be read: write everything
  const known = link?.attributes ?? {};
  const own = read
    ? diffLive(attributes, read, link, mapping, context)
    : desired.attributes === null
      ? []
      : blind
        ? replaceAll(attributes, known, mapping, secret)
        : diffLink(attributes, known, mapping, secret);
  const refs = read
    ? comparedMembers(mapping.references, members, read.attributes, target)
    : changedMembers(mapping.references, members);
  const changes = [...own, ...refs.changes];
  const renamed = isRenamed(exists, remoteId, link, target);
  const next: NewLink =
    desired.attributes === null && link
      ? { ...link, remoteId, absent: false }
      : { ...newLink(remoteId, desired), attributes: applied(toStored(attributes, mapping, secret), known, mapping) };
  if (link && changes.length === 0 && !renamed) {
    const same =
      link.fingerprint === desired.fingerprint &&
      link.remoteId === remoteId &&
      link.state === 'active' &&
      link.absentFor === null;
    return { do: 'settle', operation: 'none', link: same ? 'leave' : next, members: refs.settled };
  }
  // An adoption is a write even if nothing is to be changed: its remote id has to be ours first (PROTOCOL B6).
  const operation = !link ? 'adopt' : renamed ? 'rename' : 'update';
  return {
    do: 'write',
    operation,
    change: update(mapping.entity, exists, renamed ? remoteId : undefined, changes),
    link: next,
    members: refs.settled,
  };
}

function newLink(remoteId: string, { fingerprint, disable }: Desired): Omit<NewLink, 'attributes'> {
  return { remoteId, state: 'active', fingerprint, disable, absent: false };
}

/** What of an entry that was there is ours now: what it was created with stays, where it is its own since. */
function applied(stored: Stored, known: Stored, mapping: Mapping): Stored {
  const isOwn = (name: string) => policyOf(mapping, name) === 'initial';
  const ours = Object.entries(stored).filter(([name]) => !isOwn(name));
  return Object.fromEntries([...ours, ...Object.entries(known).filter(([name]) => isOwn(name))]);
}

/** A revived entry loses what disabling it wrote. */
function withDisabled(mapping: Mapping, link: Link | undefined): Mapping {
  if (link?.state !== 'disabled') return mapping;
  const named = Object.keys(link.disable?.attributes ?? {});
  return {
    ...mapping,
    attributes: mapping.attributes && new Set([...mapping.attributes, ...named]),
    policies: whileDisabled(mapping.policies, named),
  };
}
