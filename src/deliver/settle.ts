import type { Queryable } from '../database/transaction.ts';
import type { Outcome } from './outcome.ts';

/**
 * Records what became of a batch, in one statement. It locks every row first, in order (PROTOCOL B8, B9), and decides
 * on the values it locked: a delivery that a newer event has touched stays, free and due. Links, members, reservations
 * and journal are written only for rows that still carry our token. Of the others, what may have been written is handed
 * on as doubt: `unsure`, with the remote id (B7). `unsure` ends only with the delivery.
 *
 * It commits asynchronously (B10): if the server loses it in a crash, the claim is still there, and unsure when taken
 * over.
 *
 * Statistics may say that nothing is owed, however much is: so nothing here joins one batch with another but by a look-up.
 *
 * $1 target, $2 token, $3 outcomes, $4 whether others may refer to these entries, as entity names, $5 the epoch in which
 * they were claimed: a link that is paid for is worth that much again (PROTOCOL C5, C6).
 */
const statement = `
/* staffetta settle */
with result as materialized (
  select * from jsonb_to_recordset($3::jsonb) as r(entity text, key text, outcome text, "dueIn" float8, unsure boolean, sent text,
    absent boolean, by text, planned text, reason text, behind text, "waitFor" jsonb, disable jsonb, link jsonb, "keepLink" boolean, reserved text[], stands jsonb, members jsonb, holds boolean, error jsonb, data jsonb, journal jsonb, fingerprint text, hooks jsonb)),
locked as materialized ( -- one by one, so that no more is read than was claimed, however much is owed
  select r.*, d.token is not distinct from $2::uuid as mine, d.rev <> d.claimed_rev as moved, d.first_at, d.last_at, d.last_xid, d.last_actor,
    d.last_cause, d.attempts, d.priority, d.absent_since, d.error as former_error, d.unsure as doubted
  from (select * from result order by entity collate "C", key collate "C") r
  cross join lateral (
    select * from staffetta.delivery w where (w.target, w.entity, w.key) = ($1, r.entity collate "C", r.key collate "C") for update) d),
mine as materialized ( -- with what their links are in this snapshot
  select m.*, k.remote_id as former_id, k.stable_id as former_stable_id, k.absent_since as absent_from, k.spared as spared_before from locked m
  left join lateral (
    select * from staffetta.link l where not m."keepLink" and (l.target, l.entity, l.key) = ($1, m.entity collate "C", m.key collate "C") offset 0) k on true
  where m.mine),
gone as (
  delete from staffetta.delivery d using mine m
  where (d.target, d.entity, d.key) = ($1, m.entity, m.key) and m.outcome = 'done' and not m.moved returning 1),
freed as (
  update staffetta.delivery d set token = null, claimed_rev = null, claimed_by = null, lease_until = null,
    state = case when m.moved then 'pending' when m.outcome = 'wait' then 'waiting' when m.outcome = 'park' then 'parked'
                 when m.outcome = 'hold' then case m.by when 'guard' then 'held' else 'waiting' end else 'pending' end,
    due_at = case when m.outcome = 'release' then greatest(d.due_at, clock_timestamp() + make_interval(secs => m."dueIn"))
                  when m.moved and m.outcome <> 'retry' then clock_timestamp()
                  when m.outcome = 'hold' then 'infinity'
                  else clock_timestamp() + make_interval(secs => coalesce(m."dueIn", 0)) end,
    attempts = case when m.outcome = 'release' then d.attempts when m."waitFor" is null and m.behind is null and m.error is not null then d.attempts + 1 else 0 end,
    unsure = d.unsure or coalesce(m.unsure, false),
    absent_since = case when m.outcome = 'release' then d.absent_since when m.absent then coalesce(d.absent_since, clock_timestamp()) end,
    wait_entity = m."waitFor" ->> 'entity', wait_key = m."waitFor" ->> 'key', wait_id = m."waitFor" ->> 'id', wait_target = m.behind,
    wait_attribute = coalesce(m."waitFor" ->> 'attribute', ''), wait_keeps = coalesce((m."waitFor" ->> 'keeps')::boolean, false),
    wait_disable = nullif(m.disable, 'null'),
    parked_for = case when m.outcome in ('park', 'hold') then m.fingerprint end, planned = m.planned,
    error_kind = case when m.outcome = 'release' then d.error_kind else m.error ->> 'kind' end,
    error = case when m.outcome = 'release' then d.error else coalesce(m.reason, m.error ->> 'message') end,
    error_at = case when m.outcome = 'release' then d.error_at when m.error is not null then clock_timestamp() end
  from mine m
  where (d.target, d.entity, d.key) = ($1, m.entity, m.key) and not (m.outcome = 'done' and not m.moved) returning 1),
lost as (
  insert into staffetta.delivery as d (target, entity, key, unsure, stray, last_cause)
  select $1, r.entity, r.key, true, array[r.sent], 'written by a worker whose claim had run out' from result r
  where r.sent is not null and (r.entity, r.key) not in (select m.entity, m.key from mine m) order by r.entity collate "C", r.key collate "C"
  on conflict (target, entity, key) do update set rev = d.rev + 1, unsure = true, stray = coalesce(d.stray, '{}') || excluded.stray,
    state = case when d.state in ('held', 'parked') then 'pending' else d.state end,
    due_at = case when d.state in ('held', 'parked') then clock_timestamp() else least(d.due_at, clock_timestamp()) end
  returning 1),
linked as (
  insert into staffetta.link as k (target, entity, key, remote_id, stable_id, state, attributes, fingerprint, disable, epoch, absent_since, spared)
  select $1, m.entity, m.key, m.link ->> 'remoteId', m.link ->> 'stableId', m.link ->> 'state', m.link -> 'attributes',
    m.link ->> 'fingerprint', nullif(m.link -> 'disable', 'null'), $5,
    case when (m.link ->> 'absent')::boolean is false then null
         when (m.link ->> 'absent')::boolean then coalesce(m.absent_from, m.absent_since, clock_timestamp()) else m.absent_from end,
    m.spared_before is true and (m.link ->> 'absent')::boolean is not false
  from mine m where not m."keepLink" and m.link is not null order by m.entity collate "C", m.key collate "C"
  on conflict (target, entity, key) do update set remote_id = excluded.remote_id, stable_id = coalesce(excluded.stable_id, k.stable_id),
    state = excluded.state, attributes = excluded.attributes, fingerprint = excluded.fingerprint, disable = excluded.disable, epoch = excluded.epoch, absent_since = excluded.absent_since, spared = excluded.spared, at = clock_timestamp()
  returning 1),
absented as ( -- however long the next step is away: a link outlives the delivery
  update staffetta.link k set absent_since = coalesce(m.absent_since, clock_timestamp()) from mine m
  where (k.target, k.entity, k.key) = ($1, m.entity, m.key) and m."keepLink" and m.absent and k.absent_since is null returning 1),
trusted as (
  update staffetta.link k set epoch = $5 from mine m
  where (k.target, k.entity, k.key) = ($1, m.entity, m.key) and m."keepLink" and m.outcome = 'done' and k.epoch <> $5 returning 1),
unlinked as (
  delete from staffetta.link k using mine m
  where (k.target, k.entity, k.key) = ($1, m.entity, m.key) and not m."keepLink" and m.link is null returning 1),
unreserved as (
  delete from staffetta.remote_id i using mine m
  where (i.target, i.entity, i.key) = ($1, m.entity, m.key) and m.reserved is not null and i.normalised <> all (m.reserved)
  returning i.entity, i.key),
vacated as ( -- a key has the unique values that its link says are there; of a doubtful one, that is not known before it is settled
  delete from staffetta.remote_value v using mine m
  where (v.target, v.entity, v.key) = ($1, m.entity, m.key) and m.reserved is not null
    and (m.outcome = 'done' or not m."keepLink" or m.stands is not null or not m.doubted)
    and not exists (
      select from jsonb_array_elements(coalesce(m.stands, case when m."keepLink"
        then (select k.attributes from staffetta.link k where (k.target, k.entity, k.key) = ($1, m.entity, m.key)) else m.link -> 'attributes' end) -> v.attribute) x
      where staffetta.folded(x.value) = v.normalised)
  returning v.entity, v.key),
member as (
  select m.entity, m.key, x.* from mine m
  cross join lateral jsonb_to_recordset(m.members) as x(attribute text, "refEntity" text, "refKey" text, desired boolean, wanted text, kept boolean)
  where m.outcome in ('done', 'again') or m.journal ->> 'result' = 'done'),
members as (
  update staffetta.reference s set applied = x.wanted, kept = x.kept is true from member x
  where (s.target, s.entity, s.key, s.attribute, s.ref_entity, s.ref_key) = ($1, x.entity, x.key, x.attribute, x."refEntity", x."refKey")
    and (x.desired or x.kept) returning 1),
parted as (
  delete from staffetta.reference s using member x
  where (s.target, s.entity, s.key, s.attribute, s.ref_entity, s.ref_key) = ($1, x.entity, x.key, x.attribute, x."refEntity", x."refKey")
    and not x.desired and x.kept is not true returning 1),
dissolved as (
  delete from staffetta.reference s using mine m
  where (s.target, s.entity, s.key) = ($1, m.entity, m.key) and not m."keepLink" and m.link is null and m.holds is not true returning 1),
told as ( -- holders of a member that came, moved or went, and whoever waits for a remote id or a value that is free now
  insert into staffetta.event (source, op, cols, actor)
  select '@link', 'U', array[$1, entity, key], session_user from (
    select m.entity, m.key from mine m
    where not m."keepLink" and m.entity = any ($4::text[]) and (m.former_id is distinct from m.link ->> 'remoteId'
      or m.former_stable_id <> m.link ->> 'stableId' or m.former_stable_id is null and m.link ->> 'stableId' is not null)
    union
    select u.entity, u.key from (select * from unreserved union select * from vacated) u where exists (
      select from staffetta.delivery w where (w.target, w.wait_entity, w.wait_key) = ($1, u.entity, u.key))) x returning 1),
heard as materialized ( -- who wants to know what became of an identity is told, unless it failed in the same way before
  select m.*, w.complaint from mine m
  left join staffetta.route r on (r.target, r.entity) = ($1, m.entity)
  left join lateral (
    select staffetta.write_back(r.write_back, m.entity, m.key, $1, case m.journal ->> 'result' when 'retried' then 'failed' else m.journal ->> 'result' end,
      coalesce(m.data, '{}') || jsonb_strip_nulls(jsonb_build_object('state', case m.journal ->> 'result' when 'done' then 99 when 'parked' then -3 else 50 end, 'operation', m.journal ->> 'operation', 'remote_id', m.journal ->> 'remoteId',
        'stable_id', coalesce(m.link ->> 'stableId', (select k.stable_id from staffetta.link k where (k.target, k.entity, k.key) = ($1, m.entity, m.key))),
        'changed', m.journal -> 'changed', 'error', m.error))) as complaint
    where r.write_back is not null and (m.journal ->> 'result' = 'done' and (m.outcome = 'done' or m.outcome = 'park' and m.journal ->> 'operation' <> 'none')
      or m.journal ->> 'result' in ('retried', 'parked') and m.error ->> 'message' is distinct from m.former_error)) w on true),
recorded as (
  select h.*, coalesce(h.journal ->> 'operation' = 'create' and h.journal ->> 'result' = 'done' and h.priority > 0 and h.complaint is null
    and not coalesce(jsonb_path_exists(h.hooks, '$[*] ? (@.code != 0 || @.panic == true)'), false), false) as initial
  from heard h where h.journal is not null or h.hooks is not null),
journaled as ( -- an initial load is one row per batch, not one per identity (PROTOCOL G)
  insert into staffetta.journal (target, entity, key, operation, result, remote_id, changed, count, lag, xid, actor, cause, attempt, error_kind, message, module, code, hook, run)
  select $1, m.entity, m.key, m.journal ->> 'operation',
    case when m.complaint is not null and m.journal ->> 'result' = 'done' then 'warned' else m.journal ->> 'result' end, m.journal ->> 'remoteId',
    case when m.journal ? 'changed' then array(select jsonb_array_elements_text(m.journal -> 'changed')) end, 1,
    clock_timestamp() - m.first_at, m.last_xid, m.last_actor, m.last_cause, m.attempts + 1, m.error ->> 'kind', nullif(concat_ws('; ', m.error ->> 'message', m.complaint), ''), null::text, null::int, null::text,
    case when m.hooks is not null then $2::uuid end
  from recorded m where m.journal is not null and not m.initial
  union all
  select $1, m.entity, null, 'create', 'done', null, null, count(*)::int, max(clock_timestamp() - m.first_at), max(m.last_xid), min(m.last_actor),
    min(m.last_cause), null, null, null, null::text, null::int, null::text, null::uuid
  from recorded m where m.initial group by m.entity
  union all -- what each backend said; of an initial load, only what went wrong
  select $1, m.entity, m.key, m.journal ->> 'operation', case when b.status = 0 then 'passed' else 'failed' end, null, null, 1, null, m.last_xid,
    m.last_actor, m.last_cause, m.attempts + 1, null, concat_ws(': ', b.action, nullif(b.message, '')), b.backend, b.status, null::text, null::uuid
  from recorded m cross join lateral jsonb_to_recordset(m.data -> 'backends') as b(backend text, action text, status int, message text)
  where m.journal is not null and m.data ? 'backends' and (b.status <> 0 or not m.initial)
  union all -- and each hook, in the order in which they were called
  select $1, h.* from (
    select m.entity, m.key, coalesce(m.journal ->> 'operation', 'none'), case when b.panic then 'refused' when b.code = 0 then 'passed' else 'failed' end, null, null::text[], 1,
      null::interval, m.last_xid, m.last_actor, m.last_cause, m.attempts + 1, null, nullif(b.message, ''), b.module, b.code, b.hook, $2::uuid
    from recorded m cross join lateral rows from (jsonb_to_recordset(m.hooks) as (module text, hook text, code int, message text, panic boolean))
      with ordinality as b(module, hook, code, message, panic, place)
    where m.hooks is not null and not m.initial order by m.entity, m.key, b.place) h
  returning 1)
select set_config('synchronous_commit', 'off', true), (select count(*) from gone)::int as gone, (select count(*) from freed)::int as freed,
  (select count(*) from lost)::int as lost, (select count(*) from told)::int as told`;

/** How a batch was settled. */
export interface Settled {
  /** Deliveries paid for good. */
  readonly gone: number;
  readonly freed: number;
  /** Outcomes that came too late: their claims had run out. */
  readonly lost: number;
  /** Events written for those who refer to these entries, or wait for their ids. */
  readonly told: number;
}

export async function settle(
  database: Queryable,
  { target, token, epoch, referred }: { target: string; token: string; epoch: number; referred: readonly string[] },
  outcomes: readonly Outcome[],
): Promise<Settled> {
  const results = outcomes.map((outcome) => ({
    ...outcome,
    keepLink: outcome.link === undefined,
    members: outcome.members ?? [],
  }));
  const { rows } = await database.query<Settled>({
    name: 'settle',
    text: statement,
    values: [target, token, JSON.stringify(results), referred, epoch],
  });
  const [settled] = rows;
  if (!settled) throw new Error('settle returned no row');
  return settled;
}
