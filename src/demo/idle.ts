import { setTimeout } from 'node:timers/promises';
import type { Queryable } from '../database/transaction.ts';
import { TourError } from './tour-error.ts';

/** Between two looks, in milliseconds. */
const interval = 10;

const owedQuery = `
  select ((select count(*) from staffetta.event) + (select count(*) from staffetta.delivery)
    + (select coalesce(sum(rescan), 0) from staffetta.route))::float8 as owed`;

/**
 * Waits until nothing is owed to the directory any more: no event, no delivery, no rescan. Waits as long as that takes, if
 * only it goes on.
 *
 * @param what is waited for, to say so where it does not come
 * @param patience how long nothing may move before something is wrong, in milliseconds
 * @throws TourError when nothing has moved for so long, with what `staffetta.failures` says
 */
export async function untilIdle(
  database: Queryable,
  what: string,
  stop: AbortSignal,
  patience = 60_000,
): Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  for (let moved = performance.now(); ; await setTimeout(interval, undefined, { signal: stop })) {
    const { rows } = await database.query<{ owed: number }>(owedQuery);
    const owed = rows[0]?.owed ?? 0;
    if (owed === 0) return;
    if (owed !== before) moved = performance.now();
    before = owed;
    if (performance.now() - moved > patience)
      throw await stuck(database, `${what}: ${owed} still owed after ${patience / 1_000} s without any moving.`);
  }
}

/**
 * Waits until the delivery of a person is parked, which takes a person to mend, and nothing else is owed; what
 * `staffetta.failures` says of it.
 */
export async function untilParked(database: Queryable, key: string, stop: AbortSignal): Promise<string> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { rows } = await database.query<{ message: string }>(
      `select message from staffetta.failures where failure = 'parked' and entity = 'person' and key = $1
         and not exists (select from staffetta.event) and not exists (select from staffetta.delivery where state <> 'parked')`,
      [key],
    );
    const [row] = rows;
    if (row) return row.message;
    if (performance.now() > deadline) throw await stuck(database, `Person ${key} was not parked within a minute.`);
    await setTimeout(interval, undefined, { signal: stop });
  }
}

async function stuck(database: Queryable, what: string): Promise<TourError> {
  const { rows } = await database.query<{ line: string }>(
    `select concat_ws(' ', '-', failure, target, entity, key, source) || ': ' || coalesce(message, '') || ' ' || what_to_do as line
     from staffetta.failures limit 20`,
  );
  const said = rows.length > 0 ? rows.map(({ line }) => line).join('\n') : '- nothing';
  return new TourError(`${what} staffetta.failures says:\n${said}`);
}
