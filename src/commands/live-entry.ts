import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import type { Claimed } from '../deliver/claim.ts';
import { diffLive } from '../deliver/diff.ts';
import { type Loaded, load } from '../deliver/load.ts';
import { attributesToRead } from '../deliver/look.ts';
import type { Destination, Route } from '../deliver/route.ts';
import { closeDestinations, openDestinations } from '../destinations.ts';
import { TargetError, type Value } from '../targets/target.ts';

/** An entry as it is on its target, secrets masked. */
export interface LiveEntry {
  /** Where it stands; null: there is none. */
  readonly remote_id: string | null;
  /** Those of the mapping. */
  readonly attributes: Readonly<Record<string, readonly unknown[]>>;
  /** The attributes that are not as they should be. */
  readonly differing: readonly string[];
  /** Why it cannot be read; null: it was. */
  readonly error: string | null;
}

interface Key {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
}

/** The live entries of a key, by target. What cannot be read says why. */
export async function readLiveEntries(
  pool: pg.Pool,
  loaded: LoadedConfig,
  keys: readonly Key[],
): Promise<Map<string, LiveEntry>> {
  const destinations = await openDestinations(pool, loaded);
  try {
    const read = keys.map(async (key): Promise<[string, LiveEntry]> => {
      const destination = destinations.get(key.target);
      const route = destination?.routes.get(key.entity);
      if (!destination || !route) return [key.target, unread('this configuration does not have it')];
      return [key.target, await readLiveEntry(pool, destination, route, key)];
    });
    return new Map(await Promise.all(read));
  } finally {
    await closeDestinations(destinations.values());
  }
}

async function readLiveEntry(
  pool: pg.Pool,
  destination: Destination,
  route: Route,
  { entity, key }: Key,
): Promise<LiveEntry> {
  const { target, timeout } = destination;
  if (!target.read) return unread('this kind of target cannot be read');
  const { loaded, unloadable } = await load(pool, route.target, entity, route.keyType, [asked(entity, key)]);
  const [known] = loaded;
  if (!known) return unread(unloadable[0]?.reason ?? 'its desired state cannot be read');
  const remoteId = known.link?.remoteId ?? known.desired?.remoteId;
  if (remoteId === null || remoteId === undefined) return { ...unread(null), differing: [] };
  const { stableId } = known.link ?? {};
  try {
    const names = attributesToRead(route, known);
    const place = { remoteId, ...(stableId ? { stableId } : {}) };
    const live = await target.read(place, names, AbortSignal.timeout(timeout));
    if (!live) return unread(null);
    const differing = [
      ...differences(destination, route, known, live),
      ...(await members(pool, destination, route, key, live)),
    ];
    const mask = (name: string, values: readonly Value[]) =>
      route.mapping.secret.has(name) ? values.map(() => '********') : values;
    return {
      remote_id: live.remoteId,
      attributes: Object.fromEntries(
        Object.entries(live.attributes).map(([name, values]) => [name, mask(name, values)]),
      ),
      differing,
      error: null,
    };
  } catch (error) {
    if (error instanceof TargetError) return unread(error.message);
    throw error;
  }
}

type Live = Parameters<typeof diffLive>[1];

/** The attributes that a forced replay would write. */
function differences({ target, secret }: Destination, { mapping }: Route, known: Loaded, live: Live): string[] {
  const { desired, link } = known;
  if (!desired?.attributes || desired.released) return [];
  return diffLive(desired.attributes, live, link, mapping, { target, secret }).map(({ attribute }) => attribute);
}

/** The references in which other entries stand than were last written. */
async function members(
  pool: pg.Pool,
  { target, name }: Destination,
  { entity, mapping }: Route,
  key: string,
  live: Live,
): Promise<string[]> {
  if (mapping.references.size === 0) return [];
  const { rows } = await pool.query<{ attribute: string; applied: string[] }>(
    `select attribute, array_agg(applied) as applied from staffetta.reference
     where (target, entity, key) = ($1, $2, $3) and applied is not null group by attribute`,
    [name, entity, key],
  );
  const applied = new Map(rows.map((row) => [row.attribute, row.applied]));
  return [...mapping.references].flatMap(([attribute, { placeholder }]) =>
    target.same(
      attribute,
      live.attributes[attribute] ?? [],
      applied.get(attribute) ?? (placeholder === undefined ? [] : [placeholder]),
    )
      ? []
      : [attribute],
  );
}

/** As a forced replay would ask for it. */
export function asked(entity: string, key: string): Claimed {
  return {
    entity,
    key,
    unsure: true,
    stray: [],
    attempts: 0,
    absentFor: null,
    suspended: false,
    reconcileOwed: false,
    approved: false,
  };
}

/** Nothing was read: for a reason, or because there is nothing. */
function unread(error: string | null): LiveEntry {
  return { remote_id: null, attributes: {}, differing: [], error };
}
