/**
 * Deliveries that wait for what another has: its remote id (PROTOCOL C4), or a value of a unique attribute. Who waits for
 * whom stands in the deliveries themselves; a circle of them is a swap, which its smallest key breaks by stepping aside.
 */
import type { Queryable } from '../database/transaction.ts';

/** A key of an entity. */
export interface Holder {
  readonly entity: string;
  readonly key: string;
}

/** What can be reserved: a remote id, or a value of a unique attribute. */
export interface Reserved {
  /** The unique attribute; empty: it is a remote id. */
  readonly attribute: string;
  /** The remote id or the value, normalised. */
  readonly id: string;
}

/** What a delivery waits for: something that another key holds. */
export interface Wait extends Holder, Reserved {
  /** It will not let go of what it holds itself, so that no circle can be broken by it. */
  readonly keeps?: true;
}

/**
 * What others wait for of `key`, if it would close a circle by waiting for `holder` and is the smallest key in it. The
 * walk follows waiting and parked deliveries from the holder on, each only while what it waits for is still held; UNION
 * ends it where it meets itself.
 */
const smallestOfCircle = `
with recursive chain as (
  select $4::text collate "C" as entity, $5::text collate "C" as key, null::text collate "C" as attribute, null::text collate "C" as id
  union
  select r.entity, r.key, d.wait_attribute, d.wait_id from chain c
  join staffetta.delivery d on (d.target, d.entity, d.key) = ($1, c.entity, c.key) and not d.wait_keeps
  join staffetta.reserved r on (r.target, r.attribute, r.normalised) = ($1, d.wait_attribute, d.wait_id)
    and (r.entity, r.key) = (d.wait_entity, d.wait_key)
  where (c.entity, c.key) <> ($2::text, $3::text))
select attribute, id from chain where (entity, key) = ($2::text, $3::text)
  and ($2::text collate "C", $3::text collate "C") <= all (select entity, key from chain)`;

/**
 * What a key that lost to `holder` has to let go of to break a circle; undefined where there is none, or another is the
 * one to break it.
 */
export async function wantedInCircle(
  database: Queryable,
  target: string,
  { entity, key }: Holder,
  holder: Holder,
): Promise<Reserved | undefined> {
  const { rows } = await database.query<Reserved>(smallestOfCircle, [target, entity, key, holder.entity, holder.key]);
  return rows[0];
}

/** Whether the holder has a delivery of its own, and so may still let go of what it holds. */
export async function isMoving(database: Queryable, target: string, { entity, key }: Holder): Promise<boolean> {
  const { rows } = await database.query<{ moving: boolean }>(
    `select exists (select from staffetta.delivery where (target, entity, key) = ($1, $2, $3) and state <> 'parked') as moving`,
    [target, entity, key],
  );
  return rows.some(({ moving }) => moving);
}

/**
 * After waiting has been recorded: whoever can move now does. That is the smallest key of a circle (the last to record
 * its wait sees the whole circle), a holder of a remote id that only waits out `removeAfter`, and whoever waits for what
 * is no longer held. Rows are locked in order (PROTOCOL B9).
 */
const wakeMovable = `
with recursive waiting as (
  select d.entity, d.key, d.wait_keeps, d.wait_attribute, r.entity as holder_entity, r.key as holder_key
  from staffetta.delivery d
  left join staffetta.reserved r on (r.target, r.attribute, r.normalised) = ($1, d.wait_attribute, d.wait_id)
    and (r.entity, r.key) = (d.wait_entity, d.wait_key)
  where d.target = $1 and (d.entity, d.key) in (select * from unnest($2::text[], $3::text[])) and d.wait_id is not null),
walk as (
  select w.entity as from_entity, w.key as from_key, w.holder_entity as entity, w.holder_key as key, w.wait_attribute from waiting w
  where w.holder_key is not null and not w.wait_keeps
  union
  select w.from_entity, w.from_key, r.entity, r.key, d.wait_attribute from walk w
  join staffetta.delivery d on (d.target, d.entity, d.key) = ($1, w.entity, w.key) and not d.wait_keeps
  join staffetta.reserved r on (r.target, r.attribute, r.normalised) = ($1, d.wait_attribute, d.wait_id)
    and (r.entity, r.key) = (d.wait_entity, d.wait_key)),
circle as (select from_entity, from_key from walk where (entity, key) = (from_entity, from_key)),
movable as (
  select distinct on (w.from_entity, w.from_key) w.entity, w.key from walk w join circle using (from_entity, from_key)
  order by w.from_entity, w.from_key, w.entity, w.key),
deferred as (
  select w.entity, w.key from walk w join staffetta.delivery d on (d.target, d.entity, d.key) = ($1, w.entity, w.key)
  where d.absent_since is not null and w.wait_attribute = ''),
freed as (select w.entity, w.key from waiting w where w.holder_key is null),
due as materialized (
  select d.entity, d.key from staffetta.delivery d
  where d.target = $1 and (d.entity, d.key) in (select * from movable union select * from deferred union select * from freed)
  order by d.target, d.entity, d.key for update)
update staffetta.delivery d set due_at = clock_timestamp(), state = case when d.state = 'parked' then 'pending' else d.state end
from due where d.target = $1 and (d.entity, d.key) = (due.entity, due.key)`;

export async function wake(database: Queryable, target: string, waiting: readonly Holder[]): Promise<void> {
  if (waiting.length === 0) return;
  await database.query(wakeMovable, [target, waiting.map(({ entity }) => entity), waiting.map(({ key }) => key)]);
}
