import type { Queryable } from '../database/transaction.ts';
import type { Holder } from './wait.ts';

/**
 * A person got another key: the entry goes over to the key that waits for it, instead of being removed and made again
 * (PROTOCOL C4). Link, reserved ids and values, and memberships move; the new key is unsure, so that it reads the entry before it
 * writes. Nothing happens unless we still hold the old key and the new one still waits for it.
 */
const statement = `
with pair as materialized (
  select d.entity, d.key, d.token, d.rev, d.claimed_rev, d.wait_entity, d.wait_key, d.wait_attribute, d.wait_disable, d.last_actor, d.last_cause, d.last_xid, d.first_at
  from staffetta.delivery d
  where d.target = $1 and (d.entity, d.key) in (($2::text, $3::text), ($4::text, $5::text))
  order by d.target, d.entity, d.key for update),
agreed as materialized (
  select old.*, new.wait_disable as meant from pair old join pair new on (new.wait_entity, new.wait_key) = (old.entity, old.key)
  where (old.entity, old.key) = ($2, $3) and old.token = $6::uuid and old.rev = old.claimed_rev and (new.entity, new.key) = ($4, $5) and new.token is null
    and new.wait_attribute = '' and not exists (select from staffetta.link k where (k.target, k.entity, k.key) = ($1, $4, $5))),
link as (
  update staffetta.link k set entity = $4, key = $5, disable = coalesce(agreed.meant, k.disable), fingerprint = null, absent_since = null, spared = false from agreed where (k.target, k.entity, k.key) = ($1, $2, $3) returning k.remote_id),
ids as (update staffetta.remote_id i set entity = $4, key = $5, disable = coalesce(agreed.meant, i.disable) from agreed where (i.target, i.entity, i.key) = ($1, $2, $3)),
uniques as (update staffetta.remote_value v set entity = $4, key = $5 from agreed where (v.target, v.entity, v.key) = ($1, $2, $3)),
stood as materialized ( -- the new key has recorded members of its own already; those stand where the old key's stood
  select s.attribute, s.ref_entity, s.ref_key, s.applied, n.key is not null as known from agreed
  join staffetta.reference s on (s.target, s.entity, s.key) = ($1, $2, $3)
  left join staffetta.reference n on (n.target, n.entity, n.key) = ($1, $4, $5)
    and (n.attribute, n.ref_entity, n.ref_key) = (s.attribute, s.ref_entity, s.ref_key)),
known as (
  update staffetta.reference n set applied = o.applied from stood o
  where o.known and (n.target, n.entity, n.key) = ($1, $4, $5) and (n.attribute, n.ref_entity, n.ref_key) = (o.attribute, o.ref_entity, o.ref_key)),
doubled as (
  delete from staffetta.reference s using stood o
  where o.known and (s.target, s.entity, s.key) = ($1, $2, $3) and (s.attribute, s.ref_entity, s.ref_key) = (o.attribute, o.ref_entity, o.ref_key)),
members as (
  update staffetta.reference s set entity = $4, key = $5 from stood o
  where not o.known and (s.target, s.entity, s.key) = ($1, $2, $3) and (s.attribute, s.ref_entity, s.ref_key) = (o.attribute, o.ref_entity, o.ref_key)),
gone as (delete from staffetta.delivery d using agreed where (d.target, d.entity, d.key) = ($1, $2, $3)),
due as (
  update staffetta.delivery d set unsure = true, rev = d.rev + 1, state = 'pending', due_at = clock_timestamp(), attempts = 0, wait_entity = null, wait_key = null, wait_id = null
  from agreed where (d.target, d.entity, d.key) = ($1, $4, $5)),
told as (
  insert into staffetta.event (source, op, cols, actor)
  select '@link', 'U', array[$1, x.entity, x.key], session_user from agreed, (values ($2, $3), ($4, $5)) as x(entity, key)),
journaled as (
  insert into staffetta.journal (target, entity, key, operation, result, remote_id, lag, xid, actor, cause, message)
  select $1, $2, $3, 'hand over', 'done', (select remote_id from link), clock_timestamp() - first_at, last_xid, last_actor, last_cause,
    format('the entry belongs to %s %s from now on', $4, $5) from agreed)
select exists (select from agreed) as agreed`;

/** True if the entry went over, and the delivery with it; false if nothing was changed. */
export async function handOver(
  database: Queryable,
  target: string,
  token: string,
  from: Holder,
  to: Holder,
): Promise<boolean> {
  const { rows } = await database.query<{ agreed: boolean }>(statement, [
    target,
    from.entity,
    from.key,
    to.entity,
    to.key,
    token,
  ]);
  return rows.some(({ agreed }) => agreed);
}
