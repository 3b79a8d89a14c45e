/**
 * Looking at the target before writing: the live entry of a key whose link may be wrong (PROTOCOL B5), and existing
 * entries that may be adopted.
 */
import type { Queryable } from '../database/transaction.ts';
import { type Match, type RemoteState, TargetError } from '../targets/target.ts';
import { concurrently } from './concurrently.ts';
import type { Loaded } from './load.ts';
import type { Live } from './plan.ts';
import { reservedIds } from './reserve.ts';
import type { Destination, Route } from './route.ts';

/** What was seen of a key, or why nothing could be. */
export type Seen = { readonly live: Live } | { readonly error: TargetError };

/** The attributes of an entry that planning compares. */
function attributesToRead({ mapping }: Route, { desired, link }: Loaded): string[] {
  const own = mapping.attributes ?? Object.keys(desired?.attributes ?? {});
  const before = Object.keys({ ...link?.attributes, ...link?.disable?.attributes });
  return [...new Set([...own, ...before, ...mapping.references.keys()])];
}

/**
 * The live entry of each key: where the link says, or under its stable id; else under any id that is reserved for the
 * key or that a fenced-off worker may have written. A target that cannot be read answers undefined for all.
 */
export async function readLive(
  database: Queryable,
  destination: Destination,
  route: Route,
  keys: readonly Loaded[],
): Promise<Map<string, Seen>> {
  const { target } = destination;
  if (keys.length === 0) return new Map();
  const reserved = await reservedIds(
    database,
    route.target,
    route.entity,
    keys.map(({ claimed }) => claimed.key),
  );
  const seen = await concurrently(keys, destination.concurrency, async (loaded): Promise<[string, Seen]> => {
    const { claimed, link } = loaded;
    if (!target.read) return [claimed.key, { live: undefined }];
    const places = [
      ...(link
        ? [{ remoteId: link.remoteId, ...(link.stableId ? { stableId: link.stableId } : {}), linked: true }]
        : []),
      ...[...(reserved.get(claimed.key) ?? []), ...claimed.stray].map((remoteId) => ({ remoteId, linked: false })),
    ];
    try {
      const attributes = attributesToRead(route, loaded);
      for (const place of places) {
        const live = await target.read(place, attributes, AbortSignal.timeout(destination.timeout));
        if (live && isOurs(live, place)) return [claimed.key, { live }];
      }
      return [claimed.key, { live: 'absent' }];
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      return [claimed.key, { error }];
    }
  });
  return new Map(seen);
}

/**
 * Not the entry of somebody else: one with another stable id has taken the place of ours; one that another account
 * created under an id that is only reserved for us is not to be taken over silently.
 */
function isOurs(live: RemoteState, place: { readonly stableId?: string; readonly linked: boolean }): boolean {
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
