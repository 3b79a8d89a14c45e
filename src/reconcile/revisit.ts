import type { Queryable } from '../database/transaction.ts';

/** Enqueues the keys whose time to be looked at again has come, each route in a transaction of its own (PROTOCOL F3). */
export async function revisit(database: Queryable): Promise<void> {
  const { rows: routes } = await database.query<{ target: string; entity: string }>(
    `select r.target, r.entity from staffetta.route r join staffetta.target t using (target)
     where t.state <> 'retired' and r.revisit is not null order by 1, 2`,
  );
  for (const { target, entity } of routes) await database.query('select staffetta.revisit($1, $2)', [target, entity]);
}
