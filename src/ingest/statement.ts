import pg from 'pg';
import { pace } from './crowd.ts';

const { escapeLiteral } = pg;

/** A source that gives keys of an entity through a function made by `apply`. */
export interface Feed {
  readonly source: string;
  readonly entity: string;
  /** Quoted name of `keys_…(cols text[])`. */
  readonly keysFunction: string;
}

/** The source name of the events that settle writes: an entry that others refer to or wait for came, moved or went. */
export const linkSource = '@link';

/**
 * Whether a key is one of so many that one transaction touched in one source that they are bulk, though its rows may be
 * few: a department stands for everybody in it (PROTOCOL A9). A row that another transaction touched as well is not.
 */
const keysAreBulk = `greatest(v.bulk,
  (least(count(*) over (partition by (v.first).xid), count(*) over (partition by (v.last).xid)) > $3::int)::int)`;

/**
 * The one statement that turns events into deliveries (PROTOCOL A7): events are deleted, read into keys, grouped, and
 * upserted in (target, entity, key) order (B9). Several ingesters may run it at once.
 *
 * $1 and $8 the place in the order of events (xid8, number) behind which to look, $2 events at most, $3 rows of a
 * transaction, or keys of these, beyond which it is bulk (A9), $4 sources to take, $5 seconds a holder waits for more of its
 * members (F1), $6 the configuration that the sources were read for: under another one nothing is taken, since events would
 * be lost on entities that it does not know of (C7). $7 the only event to take, or null. $9 how large crowds are, by target
 * and entity, where that is known. $10 a transaction of which enough was taken before to know that it is bulk.
 *
 * A key that is too long for an index goes to `staffetta.event_failed`, with the first event that named it; the other
 * keys of that event are delivered.
 *
 * Statistics that were gathered while the queue was empty say that it is, and every join of many events would be a nested
 * loop over them: so nothing here joins `claimed` with as many rows. OFFSET 0 keeps the look-ups of holders on their index.
 *
 * It is built of the sources to take, so that one whose function is broken can be left out (A10).
 */
export function ingestStatement(feeds: readonly Feed[]): string {
  const keyed = feeds.map(
    ({ source, entity, keysFunction }) =>
      `select null::text as target, ${escapeLiteral(entity)} as entity, k.key, interval '0' as delay,
         ${keysAreBulk} as priority, v.*
       from value v cross join lateral ${keysFunction}(v.cols) as k(key) where v.source = ${escapeLiteral(source)} and k.key is not null`,
  );
  const routes = feeds.map(({ source, entity }) => `(${escapeLiteral(source)}, ${escapeLiteral(entity)})`);
  return `
with claimed as materialized (
  select ctid, seq, xid, at, source, op, cols, actor from staffetta.event
  where (xid, seq) > ($1::xid8, $8::bigint) and source = any($4::text[]) and (select revision from staffetta.installation) = $6
    and ($7::bigint is null or seq = $7)
  order by xid, seq limit $2 for update skip locked),
ending as materialized ( -- the last transaction may go on behind the batch
  select xid::text, seq::text, xid = $10::xid8 or (
    select count(*) from (select from staffetta.event e where e.xid = l.xid limit $3::int + 1) x) > $3::int as bulk
  from (select xid, seq from claimed order by xid desc, seq desc limit 1) l),
gone as (delete from staffetta.event where ctid = any (array(select ctid from claimed))),
value as materialized ( -- one evaluation of a key expression per distinct row, however many events
  select source, cols, min(bulk::int) as bulk, count(*)::int as events,
    (array_agg(row(at, op, actor, xid)::staffetta.cause order by seq))[1] as first,
    (array_agg(row(at, op, actor, xid)::staffetta.cause order by seq desc))[1] as last, min(seq) as seq
  from (select *, count(*) over (partition by xid) > $3::int or xid = $10::xid8 or xid in (select e.xid::xid8 from ending e where e.bulk) as bulk
    from claimed) c where op <> 'R' group by source, cols),
crowd as materialized ( -- how many members are still to be delivered, so that holders are not written for every batch
  select m.target, m.entity, c.waiting from (select distinct cols[1] as target, cols[2] as entity from value where source = '${linkSource}') m
  cross join lateral (
    select coalesce(($9::jsonb ->> (m.target || ' ' || m.entity))::bigint, (
      select count(*) from (
        select 1 from staffetta.delivery d
        where d.target = m.target and d.entity = m.entity and d.priority = 1 and d.state = 'pending' and d.due_at <= now()
        limit ${pace.counted}) x)) as waiting) c),
keyed (target, entity, key, delay, priority, source, cols, bulk, events, first, last, seq) as (
  ${[
    ...keyed,
    // Holders gather the changes of their members, behind everybody else; whoever waits for this entry's remote id goes at once.
    `select r.target, r.entity, r.key, make_interval(secs => greatest($5::float8, c.waiting / ${pace.aSecond}::float8)), 1, v.* from value v
     join crowd c on (c.target, c.entity) = (v.cols[1], v.cols[2])
     cross join lateral (select * from staffetta.reference s where (s.target, s.ref_entity, s.ref_key) = (v.cols[1], v.cols[2], v.cols[3]) offset 0) r
     where v.source = '${linkSource}'`,
    `select d.target, d.entity, d.key, interval '0', v.bulk, v.* from value v
     cross join lateral (select * from staffetta.delivery w where (w.target, w.wait_entity, w.wait_key) = (v.cols[1], v.cols[2], v.cols[3]) offset 0) d
     where v.source = '${linkSource}'`,
  ].join('\n  union all ')}),
merged as (
  select r.target, r.entity, k.key, min(k.delay) as delay, min(k.seq) as seq, octet_length(k.key) > staffetta.longest_key() as too_long, min(k.priority)::smallint as priority, sum(k.events)::int as events, bool_and(k.source = '${linkSource}') as echo,
    (array_agg(row((k.first).at, staffetta.cause_text((k.first).op, k.source), (k.first).actor, (k.first).xid)::staffetta.cause_said order by (k.first).at))[1] as first,
    (array_agg(row((k.last).at, staffetta.cause_text((k.last).op, k.source), (k.last).actor, (k.last).xid)::staffetta.cause_said order by (k.last).at desc))[1] as last
  from keyed k join staffetta.route r on r.entity = k.entity collate "C" and (k.target is null or r.target = k.target collate "C")
  group by r.target, r.entity, k.key),
owed as (
  insert into staffetta.delivery as d (target, entity, key, priority, due_at, events, approved,
    first_at, first_cause, first_actor, last_at, last_cause, last_actor, last_xid)
  select target, entity, key, priority, clock_timestamp() + delay, events,
    case when echo then 0 end, -- no rev: what is approved stays so, where only entries that it refers to came, moved or went
    (first).at, (first).cause, (first).actor, (last).at, (last).cause, (last).actor, (last).xid
  from merged where not too_long order by target collate "C", entity collate "C", key collate "C"
  on conflict (target, entity, key) do update set
    rev = d.rev + 1,
    approved = case when excluded.approved = 0 and d.approved = d.rev then d.rev + 1 else d.approved end,
    priority = least(d.priority, excluded.priority),
    state = case when d.state in ('held', 'parked') then 'pending' else d.state end,
    due_at = case
      -- Nobody could claim it until now, or it was among others: whoever claims looks only a little behind his last claim (B11).
      when d.state in ('held', 'parked') or d.attempts = 0 and excluded.priority < d.priority then excluded.due_at
      when d.attempts > 0 then d.due_at
      else least(d.due_at, excluded.due_at) end,
    attempts = case when d.state = 'parked' then 0 else d.attempts end,
    events = d.events + excluded.events,
    last_at = excluded.last_at, last_cause = excluded.last_cause, last_actor = excluded.last_actor, last_xid = excluded.last_xid
  returning target),
refused as (
  insert into staffetta.event_failed (seq, xid, at, source, op, cols, actor, error)
  select c.seq, c.xid, c.at, c.source, c.op, c.cols, c.actor, staffetta.key_too_long(min(m.key))
  from merged m join claimed c using (seq) where m.too_long group by c.seq, c.xid, c.at, c.source, c.op, c.cols, c.actor
  on conflict do nothing),
owing as (
  select r.target, r.entity from staffetta.route r
  where r.entity in (select f.entity from claimed c join (values ${[...routes, "('', '')"].join(', ')}) as f(source, entity) using (source) where c.op = 'R')
  order by r.target, r.entity for update),
rescan as ( -- owed durably: never only a job (PROTOCOL A11)
  update staffetta.route r set rescan = r.rescan + 1 from owing o where (r.target, r.entity) = (o.target, o.entity) returning 1)
select (select count(*) from claimed)::int as claimed, (select count(distinct xid) from claimed)::int as transactions, (select count(*) from rescan)::int as rescans,
  (select count(*) from owed)::int as owed, array(select distinct target from owed) as targets, (select jsonb_object_agg(target || ' ' || entity, waiting) from crowd) as crowd, pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
  (select to_jsonb(ending) from ending) as last,
  (select count(*) from claimed) < $2 and (select count(*) from claimed) < ( -- the snapshot still shows what was claimed
    select count(*) from (select from staffetta.event where (xid, seq) > ($1::xid8, $8::bigint) and source = any($4::text[]) limit $2) e) as skipped`;
}
