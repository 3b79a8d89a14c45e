import type { Parameters } from '../database/parameters.ts';
import type { Queryable } from '../database/transaction.ts';
import { TargetError } from '../targets/target.ts';
import { markReached, markUnreachable, quarantine } from './breaker.ts';
import type { Destination } from './route.ts';

/**
 * Has a target publish what it took in, unless it is not to be sent anything. Answers why that failed, which stops the
 * target as a failed change does; undefined: it did, or has nothing to publish. `probe`: also where it is waiting, which
 * is over if it does.
 */
export async function flush(
  database: Queryable,
  { name, target, timeout }: Pick<Destination, 'name' | 'target' | 'timeout'>,
  parameters: Parameters,
  { probe }: { readonly probe: boolean },
): Promise<string | undefined> {
  if (!target.flush || !(await isOpen(database, name, probe))) return undefined;
  try {
    await target.flush(AbortSignal.timeout(timeout));
    if (probe) await markReached(database, name);
    return undefined;
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (error.kind === 'misconfigured') await quarantine(database, name, error.message);
    else await markUnreachable(database, name, error.message, parameters, error.retryAfter);
    return error.message;
  }
}

async function isOpen(database: Queryable, target: string, probe: boolean): Promise<boolean> {
  const { rows } = await database.query(
    `select from staffetta.target where target = $1 and (state = 'active' or state = 'waiting' and $2) and mode <> 'observe'`,
    [target, probe],
  );
  return rows.length > 0;
}

/** Does so with every target, also where it is waiting, telling of each that failed; answers how many did. */
export async function flushAll(
  database: Queryable,
  destinations: Iterable<Destination>,
  parameters: Parameters,
  failed: (target: string, reason: string) => void,
): Promise<number> {
  const flushed = [...destinations].map(async (destination) => {
    const reason = await flush(database, destination, parameters, { probe: true });
    if (reason !== undefined) failed(destination.name, reason);
    return reason === undefined ? 0 : 1;
  });
  return (await Promise.all(flushed)).reduce((sum: number, one) => sum + one, 0);
}
