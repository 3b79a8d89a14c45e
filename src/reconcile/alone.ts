import pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { isPassing } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Destination, Route } from '../deliver/route.ts';
import { TargetError } from '../targets/target.ts';

/** One reading of everything that a target holds for an entity at a time, whichever process does it. */
const lock = 7272004;

/**
 * Does the work unless another process is reading the same, or another configuration was applied than this one; then it
 * answers with what `refused` makes of the reason. The work is told how many reconciles the route owes (PROTOCOL C6).
 * `session`: one connection, not a pool, and not through a transaction pooler.
 */
export async function alone<T>(
  session: Queryable,
  loaded: LoadedConfig,
  destination: Destination,
  { target, entity }: Route,
  refused: (reason: string) => T,
  work: (owed: string) => Promise<T>,
): Promise<T> {
  const name = `${target} ${entity}`;
  const locked = await session.query<{ taken: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as taken', [
    lock,
    name,
  ]);
  if (!locked.rows[0]?.taken) return refused('a reconcile of it is under way already');
  try {
    const { rows } = await session.query<{ owed: string; identity: string | null }>(
      `select r.reconcile as owed, t.identity from staffetta.route r join staffetta.target t using (target)
       where (r.target, r.entity) = ($1, $2) and t.state <> 'retired'`,
      [target, entity],
    );
    const [route] = rows;
    if (!route || !(await isApplied(session, loaded)))
      return refused('another configuration was applied than this one');
    if (route.identity !== null) destination.target.expect?.(route.identity); // PROTOCOL C5
    return await work(route.owed);
  } finally {
    await session.query('select pg_advisory_unlock($1, hashtext($2))', [lock, name]).catch(() => {}); // it ended with the session
  }
}

/** Whether the configuration is still the one that was applied last. */
export async function isApplied(session: Queryable, { revision }: LoadedConfig): Promise<boolean> {
  const { rows } = await session.query<{ revision: string | null }>('select revision from staffetta.installation');
  return rows[0]?.revision === revision;
}

/** What keeps a target or a view from being read, as opposed to a failure of the database or of ours. */
export function isFinding(error: unknown): error is Error {
  return error instanceof TargetError || (error instanceof pg.DatabaseError && !isPassing(error));
}
