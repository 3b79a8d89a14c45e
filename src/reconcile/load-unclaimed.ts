import { readParameters } from '../database/parameters.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Claimed } from '../deliver/claim.ts';
import { type Loaded, load, type Unloadable } from '../deliver/load.ts';
import type { Route } from '../deliver/route.ts';

/** So many of the largest entries are taken into memory at once. */
const entriesAtOnce = 8;

/** How much may be read, in bytes: of one entry, and at once. */
export interface EntryLimits {
  readonly entry: number;
  readonly batch: number;
}

/** The limits that the installation is set to. */
export async function readLimits(session: Queryable): Promise<EntryLimits> {
  const { ENTRY_BYTES: entry } = await readParameters(session);
  return { entry, batch: entriesAtOnce * entry };
}

/**
 * Desired states and links of keys that nobody has claimed, in parts that fit into memory. A row that cannot be read
 * spoils only its own key (PROTOCOL B12).
 */
export async function* loadUnclaimed(
  session: Queryable,
  { target, entity, keyType, mapping }: Route,
  keys: readonly string[],
): AsyncGenerator<{ loaded: readonly Loaded[]; unloadable: readonly Unloadable[] }, void, undefined> {
  if (keys.length === 0) return;
  const limits = await readLimits(session);
  for (let rest = keys.map((key) => unclaimed(entity, key, mapping.removeAfter)); rest.length > 0; ) {
    const { loaded, unloadable, deferred } = await load(session, target, entity, keyType, rest, limits);
    yield { loaded, unloadable };
    rest = deferred;
  }
}

/** A key as `load` takes it. It is unsure, so that everything of its desired state is read. */
function unclaimed(entity: string, key: string, absentFor: number): Claimed {
  const never = { stray: [], attempts: 0, suspended: false, reconcileOwed: false, approved: false };
  return { entity, key, unsure: true, absentFor, ...never };
}
