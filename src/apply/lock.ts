import type pg from 'pg';
import { isLockError } from '../database/sqlstate.ts';
import { inTransaction } from '../database/transaction.ts';

/** How long a statement may wait for a lock, and everybody behind it with it, in milliseconds. */
const patience = 400;

/** How often a lock is tried for, with growing pauses: about two minutes in all. */
const manyTries = 60;

/** Somebody held a lock for longer than we were willing to try. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout';
}

/**
 * Runs `work` in a transaction that never waits long for a lock: whoever wants the table meanwhile would have to wait
 * behind it. Tries again after a pause. `what` names the thing to be locked, for the message if it cannot be had.
 */
export async function withShortLocks<T>(
  pool: pg.Pool,
  what: string,
  work: (client: pg.PoolClient) => Promise<T>,
  tries = manyTries,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(pool, async (client) => {
        await client.query(`set local lock_timeout = ${patience}`);
        return await work(client);
      });
    } catch (error) {
      if (!isLockError(error)) throw error;
      if (attempt === tries) {
        throw new LockTimeout(
          `${what} is locked by a long transaction (see pg_stat_activity); end it and run apply again`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(100 * attempt, 2000) * (0.5 + Math.random())));
    }
  }
}
