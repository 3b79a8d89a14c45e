/**
 * What is to be done for one key, given everything that was read of it. Pure: planning asks nobody anything.
 *
 * Read from top to bottom: the identity is in scope (write it), released (let go of it), or proven absent (deprovision
 * it). A key that is not sure of its link is planned against the live entry, never against the link (PROTOCOL B5).
 */
import type { AttributeChange, Attributes, Change, RemoteState, Target, TargetErrorKind } from '../targets/target.ts';
import { diffLink, diffLive, type Mapped, replaceAll } from './diff.ts';
import type { Desired, Disable, Link, Loaded } from './load.ts';
import { changedMembers, comparedMembers, initialMembers, type ReferencePolicy } from './members.ts';
import type { Member, Members } from './references.ts';
import { type Stored, toStored } from './stored.ts';
import type { Wait } from './wait.ts';

/** What the configuration says of an entity of a target, as far as planning asks. */
export interface Mapping extends Mapped {
  readonly entity: string;
  readonly references: ReadonlyMap<string, ReferencePolicy>;
  /** What happens to an entry whose identity has left the view. */
  readonly deprovision: 'disable' | 'delete' | 'keep';
  /** Seconds that a removal waits for its re-insertion (PROTOCOL C2). */
  readonly removeAfter: number;
}

/** The live entry: undefined where nobody looked, 'absent' where it is proven not to be there. */
export type Live = RemoteState | 'absent' | undefined;

/** The words of the journal for what is done to an entry. */
export type Operation =
  | 'create'
  | 'update'
  | 'rename'
  | 'remove'
  | 'disable'
  | 'adopt'
  | 'release'
  | 'keep'
  | 'step aside'
  | 'none';

/** What the link is to say afterwards. */
export interface NewLink {
  readonly remoteId: string;
  readonly state: Link['state'];
  readonly attributes: Stored;
  readonly fingerprint: string | null;
  readonly disable: Disable | null;
}

export type Plan =
  /** Something goes out; `link` is recorded when it has, or dropped if it is undefined; 'leave': another look is needed. */
  | {
      readonly do: 'write';
      readonly operation: Operation;
      readonly change: Change;
      readonly link: NewLink | 'leave' | undefined;
      readonly members: readonly Member[];
      /** Not paid with this: whose remote id it waits for next. */
      readonly waitFor?: Wait;
    }
  /** Nothing goes out: the link is recorded ('leave': as it is; undefined: dropped). */
  | {
      readonly do: 'settle';
      readonly operation: Operation;
      readonly link: NewLink | 'leave' | undefined;
      readonly members: readonly Member[];
    }
  /** The key is absent for the first time: look again after so many seconds. */
  | { readonly do: 'defer'; readonly seconds: number }
  /** The entry belongs to another key now (PROTOCOL C4). */
  | { readonly do: 'hand over'; readonly to: { readonly entity: string; readonly key: string } }
  | { readonly do: 'park'; readonly kind: TargetErrorKind; readonly reason: string };

/** A plan of which something goes out. */
export type Write = Extract<Plan, { do: 'write' }>;

export interface Context {
  readonly mapping: Mapping;
  readonly target: Target;
  /** The installation's secret, which keys the hashes of secret values. */
  readonly secret: Buffer;
}

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

function planAbsent({ claimed, link, wantedBy }: Loaded, live: Live, { mapping, target, secret }: Context): Plan {
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

/** An entry that we made for the key beside the one it has is taken away; then the key is looked at again. */
export function planStrayRemoval(stray: RemoteState, { mapping }: Context): Write {
  const change: Change = { operation: 'remove', entity: mapping.entity, ...address(stray) };
  return { do: 'write', operation: 'remove', change, link: 'leave', members: [] };
}

/**
 * A swap: the smallest key of a circle frees the remote id under which its entry stands by stepping aside, and waits for
 * the one it wants (PROTOCOL C4). Undefined where it has done so already, or has no entry.
 */
export function planStepAside(
  intended: Write,
  link: Link | undefined,
  key: string,
  wait: Wait,
  { mapping, target }: Context,
): Write | undefined {
  if (intended.change.operation !== 'update' || intended.link === 'leave') return undefined;
  const { remoteId } = intended.change;
  const renameTo = target.aside(remoteId, key);
  if (target.normalise(renameTo) === target.normalise(remoteId)) return undefined;
  const change = update(mapping.entity, intended.change, renameTo, []);
  const known = link ?? { state: 'active', attributes: {}, disable: intended.link?.disable ?? null };
  const next: NewLink = { ...known, remoteId: renameTo, fingerprint: null };
  return { do: 'write', operation: 'step aside', change, link: next, members: [], waitFor: wait };
}

interface Entry {
  readonly remoteId: string;
  readonly stableId?: string | null;
}

function address({ remoteId, stableId }: Entry): { remoteId: string; stableId?: string } {
  return stableId ? { remoteId, stableId } : { remoteId };
}

function update(
  entity: string,
  entry: Entry,
  renameTo: string | undefined,
  changes: readonly AttributeChange[],
): Change {
  return { operation: 'update', entity, ...address(entry), changes, ...(renameTo === undefined ? {} : { renameTo }) };
}

/** Other than by the rules of the target, or, if we wrote the old one, by a single letter: people see case. */
function isRenamed(
  { remoteId: from, createdByUs }: Pick<RemoteState, 'remoteId' | 'createdByUs'>,
  to: string,
  link: Link | undefined,
  target: Target,
): boolean {
  if (from === to) return false;
  return target.normalise(from) !== target.normalise(to) || (link ? link.remoteId !== to : createdByUs === true);
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
