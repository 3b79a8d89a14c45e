import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { createPool, patience } from '../database/pool.ts';
import type { Queryable } from '../database/transaction.ts';
import { quarantine } from '../deliver/breaker.ts';
import type { Destination } from '../deliver/route.ts';
import type { Log } from '../log.ts';
import { TargetError } from '../targets/target.ts';
import { type Reconciled, reconcile } from './reconcile.ts';

/** Routes of targets that are sent something at present; an owed reconcile that failed waits for its next attempt. */
const due = `
select r.target, r.entity, r.reconcile > 0 as owed
from staffetta.route r join staffetta.target t using (target)
where t.state = 'active' and (r.target = $2 or $2 is null) and (r.entity = $3 or $3 is null)
  and ($1 or r.reconcile > 0 and (r.reconcile_retry_at is null or r.reconcile_retry_at <= clock_timestamp()))
order by 1, 2`;

/** A row of it. */
interface Due {
  readonly target: string;
  readonly entity: string;
  readonly owed: boolean;
}

async function findDue(database: Queryable, all: boolean, target?: string, entity?: string): Promise<Due[]> {
  return (await database.query<Due & pg.QueryResultRow>(due, [all, target, entity])).rows;
}

/** Whether a reconcile is owed that may be done now. */
export async function owesReconcile(database: Queryable): Promise<boolean> {
  return (await findDue(database, false)).length > 0;
}

/**
 * Does the reconciles that are owed, or all, one after the other on a connection of its own. The owed ones repair: the
 * links may have lost what happened last (PROTOCOL C6). The others only report: what people did to a target may have been
 * meant. A target that cannot tell what it holds is never compared: what is owed to it is everything anew.
 */
export async function reconcileDue(
  database: Queryable,
  loaded: LoadedConfig,
  destinations: ReadonlyMap<string, Destination>,
  { all, log, stop }: { all: boolean; log: Log; stop: AbortSignal },
): Promise<Reconciled[]> {
  const routes = await findDue(database, all);
  if (routes.length === 0) return [];
  const { url, listen = url } = loaded.config.database;
  const pool = createPool(listen, 'staffetta reconcile', 1, patience.everything);
  try {
    const session = await pool.connect();
    try {
      const done: Reconciled[] = [];
      for (const { target, entity, owed } of routes) {
        const destination = destinations.get(target);
        const route = destination?.routes.get(entity);
        // Meanwhile the target may have refused our password, or another daemon may have done what was owed.
        const isDue = (await findDue(database, all, target, entity)).length > 0;
        if (!destination || !route || !isDue) continue;
        if (!destination.target.scan) {
          if (owed) await replayAll(session, target, entity);
          continue;
        }
        const result = await reconcile(session, loaded, destination, route, { repair: owed, stop });
        tell(log, result);
        if (result.run !== null && !result.complete) await judge(database, destination);
        done.push(result);
      }
      return done;
    } finally {
      session.release(true);
    }
  } catch (error) {
    if (stop.aborted) return [];
    throw error;
  } finally {
    await pool.end();
  }
}

/** Pays the reconciles that a route owes by replaying all of it. */
async function replayAll(database: Queryable, target: string, entity: string): Promise<void> {
  await database.query(
    `with replayed as materialized (select count(*) from staffetta.replay_all($2, $1, 'its links may have lost what happened last'))
     update staffetta.route r set reconcile = 0, reconcile_retry_at = null from replayed where (r.target, r.entity) = ($1, $2)`,
    [target, entity],
  );
}

function tell(log: Log, { run, error, complete, target, entity, ...counts }: Reconciled): void {
  if (run === null) log.info({ target, entity, reason: error }, 'not reconciled');
  else if (!complete)
    log.error({ target, entity, reason: error }, 'the target could not be read completely; nothing is concluded');
  else log.info({ target, entity, ...counts }, 'reconciled');
}

/** A target that refuses us altogether is not asked again and again: repeating a refused password locks accounts out. */
async function judge(database: Queryable, { name, target, timeout }: Destination): Promise<void> {
  try {
    await target.ping(AbortSignal.timeout(timeout));
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (error.kind === 'misconfigured') await quarantine(database, name, error.message);
  }
}
