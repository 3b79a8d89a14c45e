import type { Queryable } from '../database/transaction.ts';

/** Beyond this a backlog is a backlog: counting it would take longer the larger it is. */
export const mostCounted = 1000;

/** A target that has deliveries to come. */
export interface Due {
  readonly target: string;
  /** How many are due now, of which no more than `mostCounted` are counted; 0 of those that were not to be. */
  readonly due: number;
  /** Seconds until the next one is due, or the target is probed again; null if nothing is planned. */
  readonly next: number | null;
  /** The same of those that no failure put off, but a pause of our own: members gathered, a removal that waits. */
  readonly soon: number | null;
}

/** The earliest planned delivery of each class of each target: two probes of an index per target. */
const statement = `
select t.target, n.due::int as due,
  extract(epoch from least(s.next, case when t.state = 'waiting' and (n.due > 0 or t.target = any ($1)) then t.retry_at end) - clock_timestamp())::float8 as next,
  extract(epoch from s.soon - clock_timestamp())::float8 as soon
from staffetta.target t
cross join lateral (
  select min(x.due_at) as next, min(x.due_at) filter (where x.error is null) as soon from (values (0::smallint), (1::smallint)) as p(priority)
  cross join lateral (
    select d.due_at, d.error from staffetta.delivery d
    where d.target = t.target and d.priority = p.priority and d.state in ('pending', 'waiting') and d.due_at > clock_timestamp() and d.due_at < 'infinity'
    order by d.due_at limit 1) x) s
cross join lateral (
  select count(*) as due from (
    select 1 from staffetta.delivery d
    where d.target = t.target and d.priority in (0, 1) and d.state in ('pending', 'waiting') and d.due_at <= clock_timestamp()
      and (d.token is null or d.lease_until < clock_timestamp()) and d.target <> all ($1) limit ${mostCounted}) c) n
where t.state = 'active' or t.state = 'waiting'`;

/**
 * What is due, and when the next is. `busy`: targets of which nothing is counted. Counting beside a backlog has to pass
 * whatever was paid and is not cleared away yet.
 */
export async function findDue(database: Queryable, busy: readonly string[] = []): Promise<Due[]> {
  const { rows } = await database.query<Due>(statement, [busy]);
  return rows;
}
