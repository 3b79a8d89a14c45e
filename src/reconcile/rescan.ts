import type { Queryable } from '../database/transaction.ts';
import type { Log } from '../log.ts';

/** What a rescan of a route found. */
export interface Rescanned {
  readonly target: string;
  readonly entity: string;
  readonly compared: string;
  readonly enqueued: string;
  /** Why the route could not be compared; it still owes its rescan. */
  readonly error: string | null;
}

/** Does the rescans that are owed, or all: each route by itself, in SQL, each in a transaction of its own. */
export async function rescanOwed(database: Queryable, log: Log, all: boolean): Promise<Rescanned[]> {
  const { rows: routes } = await database.query<{ target: string; entity: string }>(
    `select r.target, r.entity from staffetta.route r join staffetta.target t using (target)
     where t.state <> 'retired' and (r.rescan > 0 or $1) order by 1, 2`,
    [all],
  );
  const done: Rescanned[] = [];
  for (const { target, entity } of routes) {
    const { rows } = await database.query<Rescanned>('select * from staffetta.rescan($1, $2)', [target, entity]);
    for (const row of rows) {
      if (row.error) log.error({ target, entity, reason: row.error }, 'the desired state cannot be read at present');
      else log.info({ target, entity, compared: Number(row.compared), enqueued: Number(row.enqueued) }, 'rescanned');
    }
    done.push(...rows);
  }
  return done;
}
