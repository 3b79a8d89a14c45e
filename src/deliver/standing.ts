import type { Parameters } from '../database/parameters.ts';
import { isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Claimed } from './claim.ts';
import { isolate } from './isolate.ts';
import { type Loaded, load, type Read, type Unloadable } from './load.ts';
import { compareMembers, type Members } from './references.ts';
import type { Route } from './route.ts';
import { resume, suspend } from './suspend.ts';

/** So many of the largest entries a pump takes into memory at once. */
const entriesAtOnce = 2;

/** How keys stand: what each should be and is, and the members of those that have some. */
export interface Standing extends Read {
  readonly members: ReadonlyMap<string, Members>;
}

/**
 * Everything the administrator's view says of claimed keys. Undefined where it cannot be read: then the entity waits,
 * and nothing is known of any key.
 */
export async function readStanding(
  database: Queryable,
  route: Route,
  claimed: readonly Claimed[],
  parameters: Parameters,
): Promise<Standing | undefined> {
  const { target, entity, keyType } = route;
  const entry = parameters.ENTRY_BYTES;
  try {
    const read = await load(database, target, entity, keyType, claimed, { entry, batch: entriesAtOnce * entry });
    const { members, unloadable } = await readMembers(database, route, read.loaded);
    if (claimed.some(({ suspended }) => suspended)) await resume(database, route);
    const failed = new Set(unloadable.map(({ claimed: { key } }) => key));
    return {
      loaded: read.loaded.filter(({ claimed: { key } }) => !failed.has(key)),
      unloadable: [...read.unloadable, ...unloadable],
      deferred: read.deferred,
      members,
    };
  } catch (error) {
    if (!isSchemaError(error) || !(error instanceof Error)) throw error;
    await suspend(database, route, error.message, parameters);
    return undefined;
  }
}

async function readMembers(
  database: Queryable,
  route: Route,
  loaded: readonly Loaded[],
): Promise<{ members: ReadonlyMap<string, Members>; unloadable: Unloadable[] }> {
  const holders = loaded.filter(({ desired }) => desired && !desired.released);
  const { references, matches } = route;
  if (references.size === 0 || holders.length === 0) return { members: new Map(), unloadable: [] };
  const keys = (items: readonly Loaded[]) => items.map(({ claimed }) => claimed.key);
  const { results, failures } = await isolate(holders, async (some) => {
    const whole = some.filter(({ claimed, link }) => claimed.unsure || !link || matches);
    return compareMembers(database, route, keys(some), keys(whole));
  });
  return {
    members: new Map(results.flatMap((found) => [...found])),
    unloadable: failures.map(({ item: { claimed, desired }, reason }) => ({
      claimed,
      reason,
      fingerprint: desired?.fingerprint ?? null,
    })),
  };
}
