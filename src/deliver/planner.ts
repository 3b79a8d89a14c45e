/**
 * What is to be done for one key, given everything that was read of it. Pure: planning asks nobody anything.
 *
 * Read from top to bottom: the identity is in scope (write it), released (let go of it), or proven absent (deprovision
 * it). A key that is not sure of its link is planned against the live entry, never against the link (PROTOCOL B5).
 */
import type { Attributes, Change } from '../targets/target.ts';
import { isRenamed, update } from './change.ts';
import { planAbsent } from './deprovision.ts';
import { diffLink, diffLive, replaceAll } from './diff.ts';
import type { Desired, Link, Loaded } from './load.ts';
import { changedMembers, comparedMembers, initialMembers } from './members.ts';
import type { Context, Live, NewLink, Plan } from './plan.ts';
import type { Members } from './references.ts';
import { toStored } from './stored.ts';

export function plan(loaded: Loaded, live: Live, members: Members | undefined, context: Context): Plan {
  const { desired, link } = loaded;
  if (desired === undefined) return planAbsent(loaded, live, context);
  if (desired.released) return { do: 'settle', operation: link ? 'release' : 'none', link: undefined, members: [] };
  if (desired.remoteId === null) {
    const reason =
      'a column in the template of its remote id is NULL or empty; give it a value, or keep the row out of the view';
    return { do: 'park', kind: 'rejected', reason };
  }
  return planDesired({ ...loaded, desired }, desired.remoteId, live, members, context);
}

function planDesired(
  { claimed, desired, link }: Loaded & { readonly desired: Desired },
  remoteId: string,
  live: Live,
  members: Members | undefined,
  context: Context,
): Plan {
  const { mapping, target, secret } = context;
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
      link: newLink(remoteId, attributes, desired, context),
      members: initial.settled,
    };
  }
  const read = live === 'absent' ? undefined : live;
  const wholeMapping = { ...mapping, attributes: withDisabled(mapping.attributes, link) };
  const blind = claimed.unsure && live === undefined; // the target cannot be read: write everything
  const own = read
    ? diffLive(attributes, read, link, wholeMapping, context)
    : desired.attributes === null
      ? []
      : blind
        ? replaceAll(attributes, link?.attributes ?? {}, wholeMapping)
        : diffLink(attributes, link?.attributes ?? {}, wholeMapping, secret);
  const refs = read
    ? comparedMembers(mapping.references, members, read.attributes, target)
    : changedMembers(mapping.references, members);
  const changes = [...own, ...refs.changes];
  const renamed = isRenamed(exists, remoteId, link, target);
  const next =
    desired.attributes === null && link ? { ...link, remoteId } : newLink(remoteId, attributes, desired, context);
  if (link && changes.length === 0 && !renamed) {
    const same = link.fingerprint === desired.fingerprint && link.remoteId === remoteId && link.state === 'active';
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

function newLink(remoteId: string, attributes: Attributes, desired: Desired, { mapping, secret }: Context): NewLink {
  return {
    remoteId,
    state: 'active',
    attributes: toStored(attributes, mapping.secret, secret),
    fingerprint: desired.fingerprint,
    disable: desired.disable,
  };
}

/** A revived entry loses what disabling it wrote. */
function withDisabled(
  attributes: ReadonlySet<string> | undefined,
  link: Link | undefined,
): ReadonlySet<string> | undefined {
  if (!attributes || link?.state !== 'disabled') return attributes;
  return new Set([...attributes, ...Object.keys(link.disable?.attributes ?? {})]);
}
