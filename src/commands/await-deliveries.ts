import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { ask } from './ask.ts';

/** Deliveries of an entity on one target that somebody waits for; without `keys`, all of them. */
export interface Owed {
  readonly target: string;
  readonly entity: string;
  readonly keys?: readonly string[];
}

/** A delivery that does not go on by itself. */
export interface Stuck extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
  readonly error: string;
}

/** What became of deliveries that somebody waited for. */
export interface Awaited {
  /** How many do not go on by themselves, and the first fifty of them. */
  readonly failed: number;
  readonly failures: readonly Stuck[];
  /** How many were still on their way when the time was over. */
  readonly unfinished: number;
}

/** What `staffetta.wait_for` waits for, too, but for changes that are not ingested: a replay reads them whether or not they are. */
const owedRows = `select o.target, o.entity, o.key, o.stuck, o.why as error from staffetta.owed($2, $3, $1, null) o`;

/** The longest pause between two looks, in milliseconds. */
const longestPause = 2000;

/**
 * Waits until the deliveries are gone or cannot go on by themselves, at most `timeout` milliseconds, looking after
 * pauses that grow from 50 ms to 2 s.
 */
export async function awaitDeliveries(pool: pg.Pool, owed: readonly Owed[], timeout: number): Promise<Awaited> {
  const deadline = performance.now() + timeout;
  let open = owed;
  let unfinished = 0;
  for (let length = 50; ; length = Math.min(length * 2, longestPause)) {
    const moving = await Promise.all(open.map((one) => lookAt(pool, one)));
    unfinished = moving.reduce((sum, { count }) => sum + count, 0);
    open = moving.filter(({ count }) => count > 0).map(({ rest }) => rest);
    if (unfinished === 0 || performance.now() + length > deadline) break;
    await pause(length);
  }
  const stuck = await Promise.all(owed.map((one) => stuckOf(pool, one)));
  return {
    failed: stuck.reduce((sum, { count }) => sum + count, 0),
    failures: stuck.flatMap(({ rows }) => rows).slice(0, 50),
    unfinished,
  };
}

/** How many still move, and which: only these are looked at again. */
async function lookAt(pool: pg.Pool, one: Owed): Promise<{ count: number; rest: Owed }> {
  const sql = `select count(*)::float8 as count, case when $3::text[] is not null then array_agg(key) end as keys from (${owedRows}) o where not stuck`;
  const values = [one.target, one.entity, one.keys ?? null];
  const [row] = await ask<{ count: number; keys: string[] | null }>(pool, sql, values);
  return { count: row?.count ?? 0, rest: row?.keys ? { ...one, keys: row.keys } : one };
}

async function stuckOf(pool: pg.Pool, one: Owed): Promise<{ count: number; rows: Stuck[] }> {
  const sql = `select target, entity, key, error, count(*) over ()::float8 as count from (${owedRows}) o where stuck order by key limit 50`;
  const rows = await ask<Stuck & { count: number }>(pool, sql, [one.target, one.entity, one.keys ?? null]);
  return { count: rows[0]?.count ?? 0, rows: rows.map(({ count: _, ...row }) => row) };
}
