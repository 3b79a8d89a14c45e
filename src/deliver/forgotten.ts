import type { Queryable } from '../database/transaction.ts';

/**
 * Frees what was claimed in the name of an instance that is alive, and that nobody of it is at work on: a claim whose
 * answer was lost with its connection, or one whose settling was lost in a crash of the server, since that is not waited
 * for (PROTOCOL B10). Nobody else takes it before it runs out. What was sent is not known, so it is unsure (B5).
 *
 * `holds` is asked after the tokens were read: a claim that is made meanwhile is not among them. Answers with the number of
 * deliveries that may be claimed at once.
 */
export async function freeForgotten(
  database: Queryable,
  instance: string,
  holds: (token: string) => boolean,
): Promise<number> {
  const { rows } = await database.query<{ token: string }>(
    'select distinct token from staffetta.delivery where claimed_by = $1 and token is not null',
    [instance],
  );
  const forgotten = rows.flatMap(({ token }) => (holds(token) ? [] : [token]));
  if (forgotten.length === 0) return 0;
  const { rowCount } = await database.query(
    `with claimed as materialized ( -- PROTOCOL B9
       select d.target, d.entity, d.key from staffetta.delivery d where d.claimed_by = $1 and d.token = any ($2::uuid[])
       order by d.target, d.entity, d.key for update)
     update staffetta.delivery d set token = null, claimed_rev = null, claimed_by = null, lease_until = null, unsure = true
     from claimed c where (d.target, d.entity, d.key) = (c.target, c.entity, c.key)`,
    [instance, forgotten],
  );
  return rowCount ?? 0;
}
