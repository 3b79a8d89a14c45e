/**
 * Looking at the target before writing: the live entry of a key whose link may be wrong (PROTOCOL B5), and existing
 * entries that may be adopted.
 */
import type { Queryable } from '../database/transaction.ts';
import { type Match, type RemoteState, type Target, TargetError } from '../targets/target.ts';
import { concurrently } from './concurrently.ts';
import type { Loaded } from './load.ts';
import type { Live } from './plan.ts';
import { reserve, reservedIds, type Wish } from './reserve.ts';
import type { Destination, Route } from './route.ts';

/** What was seen of a key, or why nothing could be. */
export type Seen =
  | {
      readonly live: Live;
      /** One more entry that we made for the key, under an id that only doubt tells of (PROTOCOL B7). */
      readonly stray?: RemoteState;
    }
  | { readonly error: TargetError };

/** The attributes of an entry that planning compares. */
export function attributesToRead({ mapping }: Route, { desired, link }: Loaded): string[] {
  const own = mapping.attributes ?? Object.keys(desired?.attributes ?? {});
  const before = Object.keys({ ...link?.attributes, ...link?.disable?.attributes });
  return [...new Set([...own, ...before, ...mapping.references.keys()])];
}

/**
 * The live entry of each key: where the link says, or under its stable id; else under any id that is reserved for the
 * key or that a fenced-off worker may have written. Of a target that cannot be read, see `presume`; of one that goes away
 * meanwhile, nothing is said of those that were not asked for yet.
 */
export async function readLive(
  database: Queryable,
  destination: Destination,
  route: Route,
  token: string,
  keys: readonly Loaded[],
): Promise<Map<string, Seen>> {
  const { target } = destination;
  if (keys.length === 0) return new Map();
  if (!target.read) return presume(database, route, keys);
  await reserve(database, { target: route.target, entity: route.entity, token, wishes: strayIds(target, keys) });
  const reserved = await reservedIds(
    database,
    route.target,
    route.entity,
    keys.map(({ claimed }) => claimed.key),
  );
  let isAway = false;
  const seen = await concurrently(keys, destination.concurrency, async (loaded): Promise<[string, Seen][]> => {
    if (isAway) return []; // whoever asks on waits in vain
    const { key } = loaded.claimed;
    try {
      return [[key, await readPlaces(destination, route, loaded, reserved.get(key) ?? [])]];
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      isAway ||= error.kind === 'unavailable';
      return [[key, { error }]];
    }
  });
  return new Map(seen.flat());
}

/**
 * Nothing is known of entries that cannot be read. But where an identity is gone of which we have no link, an entry is
 * taken to stand under the id that was reserved for it: an attempt to create it may have come through.
 */
async function presume(database: Queryable, route: Route, keys: readonly Loaded[]): Promise<Map<string, Seen>> {
  const gone = keys.flatMap(({ claimed, desired, link }) => (desired || link ? [] : [claimed.key]));
  const reserved = gone.length > 0 ? await reservedIds(database, route.target, route.entity, gone) : new Map();
  return new Map(
    keys.map(({ claimed: { key } }) => {
      const [remoteId] = reserved.get(key) ?? [];
      return [key, { live: remoteId === undefined ? undefined : { remoteId, attributes: {}, createdByUs: true } }];
    }),
  );
}

/** What a fenced-off worker wrote is looked at only under an id that nobody else has. */
function strayIds(target: Target, keys: readonly Loaded[]): Wish[] {
  return keys.flatMap(({ claimed: { key, stray } }) =>
    [...new Set(stray.map((id) => target.normalise(id)))].map((normalised) => ({ key, normalised })),
  );
}

async function readPlaces(
  { target, timeout }: Destination,
  route: Route,
  loaded: Loaded,
  reserved: readonly string[],
): Promise<Seen> {
  const { link } = loaded;
  const places: Place[] = [
    ...(link ? [{ remoteId: link.remoteId, ...(link.stableId ? { stableId: link.stableId } : {}), linked: true }] : []),
    ...reserved.map((remoteId) => ({ remoteId, linked: false })),
  ];
  const attributes = attributesToRead(route, loaded);
  let live: RemoteState | undefined;
  for (const place of places) {
    const found = await target.read?.(place, attributes, AbortSignal.timeout(timeout));
    if (!found || !isOurs(found, place)) continue;
    if (!live) live = found;
    else if (found.createdByUs === true && !isSameEntry(found, live, target)) return { live, stray: found };
  }
  return { live: live ?? 'absent' };
}

interface Place {
  readonly remoteId: string;
  readonly stableId?: string;
  readonly linked: boolean;
}

function isSameEntry(one: RemoteState, other: RemoteState, target: Target): boolean {
  if (one.stableId !== undefined && other.stableId !== undefined) return one.stableId === other.stableId;
  return target.normalise(one.remoteId) === target.normalise(other.remoteId);
}

/**
 * Not the entry of somebody else: one with another stable id has taken the place of ours; one that another account
 * created under an id that is only reserved for us is not to be taken over silently.
 */
function isOurs(live: RemoteState, place: Place): boolean {
  if (place.stableId !== undefined && live.stableId !== undefined) return live.stableId === place.stableId;
  return place.linked || live.createdByUs !== false;
}

/** Existing entries that match identities which have none yet, by key. */
export async function findExisting(
  destination: Destination,
  route: Route,
  keys: readonly Loaded[],
): Promise<Map<string, RemoteState[]>> {
  const matches = keys.flatMap(({ claimed, desired }): Match[] =>
    desired?.match ? [{ key: claimed.key, entity: route.entity, where: desired.match }] : [],
  );
  if (matches.length === 0 || !destination.target.find) return new Map();
  const attributes = [...new Set(keys.flatMap((loaded) => attributesToRead(route, loaded)))];
  return destination.target.find(matches, attributes, AbortSignal.timeout(destination.timeout));
}
