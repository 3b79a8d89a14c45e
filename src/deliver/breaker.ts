/**
 * Whether a target may be sent anything. States of `staffetta.target`:
 *
 * - active → waiting: it could not be reached. Nobody's attempts are spent; after a pause that grows with each failure,
 *   one pump probes it with one delivery.
 * - waiting → active: a probe got an answer, whatever it said.
 * - active, waiting → quarantined: its configuration is wrong (credentials, rights, certificate). Only a person ends
 *   it, with `retry` or `resume`; repeating a refused password would lock the account out.
 * - any → paused and back: an administrator's word.
 */
import type { Parameters } from '../database/parameters.ts';
import type { Queryable } from '../database/transaction.ts';
import { backOff } from './back-off.ts';

/** The longest that a target may have itself left alone, in seconds: what says a day may mean a minute. */
const longestWish = 3600;

/** The target could not be reached. `retryAfter`: seconds after which it wants to be asked again, if it said so. */
export async function markUnreachable(
  database: Queryable,
  target: string,
  reason: string,
  parameters: Parameters,
  retryAfter = 0,
): Promise<void> {
  const { rows } = await database.query<{ failures: number }>(
    'select failures from staffetta.target where target = $1',
    [target],
  );
  const grown = backOff(rows[0]?.failures ?? 0, parameters.WAIT_SECONDS, parameters.WAIT_MAX_SECONDS);
  const pause = Math.max(grown, Math.min(retryAfter, longestWish));
  await database.query(
    `update staffetta.target set state = 'waiting', reason = $2, failures = failures + 1, retry_at = clock_timestamp() + make_interval(secs => $3),
       since = case when state = 'waiting' then since else clock_timestamp() end
     where target = $1 and state in ('active', 'waiting')`,
    [target, reason, pause],
  );
}

/** The target answered. */
export async function markReached(database: Queryable, target: string): Promise<void> {
  await database.query(
    `update staffetta.target set state = 'active', reason = null, failures = 0, retry_at = null, since = clock_timestamp()
     where target = $1 and state = 'waiting'`,
    [target],
  );
}

/** The target refuses us altogether. */
export async function quarantine(database: Queryable, target: string, reason: string): Promise<void> {
  await database.query(
    `update staffetta.target set state = 'quarantined', reason = $2, retry_at = null, since = clock_timestamp()
     where target = $1 and state in ('active', 'waiting')`,
    [target, reason],
  );
}

/** Whether it is this pump's turn to probe a waiting target: true for one pump, once its pause is over (or at once). */
export async function takeProbe(
  database: Queryable,
  target: string,
  seconds: number,
  atOnce: boolean,
): Promise<boolean> {
  const { rowCount } = await database.query(
    `update staffetta.target set retry_at = clock_timestamp() + make_interval(secs => $2)
     where target = $1 and state = 'waiting' and (retry_at <= clock_timestamp() or retry_at is null or $3)`,
    [target, seconds, atOnce],
  );
  return rowCount === 1;
}
