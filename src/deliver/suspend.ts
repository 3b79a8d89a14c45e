import type { Parameters } from '../database/parameters.ts';
import type { Queryable } from '../database/transaction.ts';
import { backOff } from './back-off.ts';
import type { Route } from './route.ts';

/** A view or column is missing: this entity waits, with growing pauses; nothing is parked, nothing removed (PROTOCOL B12). */
export async function suspend(
  database: Queryable,
  { target, entity }: Route,
  reason: string,
  parameters: Parameters,
): Promise<void> {
  const { rows } = await database.query<{ failures: number }>(
    'select failures from staffetta.route where target = $1 and entity = $2',
    [target, entity],
  );
  const pause = backOff(rows[0]?.failures ?? 0, parameters.WAIT_SECONDS, parameters.WAIT_MAX_SECONDS);
  await database.query(
    `update staffetta.route set error = $3, error_at = clock_timestamp(), failures = failures + 1, retry_at = clock_timestamp() + make_interval(secs => $4)
     where target = $1 and entity = $2`,
    [target, entity, reason, pause],
  );
}

/** The desired state of an entity can be read again. */
export async function resume(database: Queryable, { target, entity }: Route): Promise<void> {
  await database.query(
    'update staffetta.route set error = null, error_at = null, retry_at = null, failures = 0 where target = $1 and entity = $2',
    [target, entity],
  );
}
