-- One row per target and entity: how much is there, how much is owed, how late, and what needs a person.
create or replace view staffetta.status as
with owed as (
  select target, entity,
    count(*) filter (where state = 'pending' and token is null) as pending,
    count(*) filter (where token is not null) as claimed,
    count(*) filter (where state = 'waiting' and token is null) as waiting,
    count(*) filter (where state = 'held') as held,
    count(*) filter (where state = 'waiting' and due_at = 'infinity') as word,
    count(*) filter (where state = 'parked') as parked,
    count(*) filter (where state = 'pending' and attempts > 0) as retrying,
    min(due_at) filter (where state in ('pending', 'waiting') and due_at < 'infinity') as oldest_due,
    min(first_at) filter (where state in ('pending', 'waiting') and due_at < 'infinity' and absent_since is null) as oldest
  from staffetta.delivery group by target, entity),
linked as (select target, entity, count(*) as links from staffetta.link group by target, entity),
place as (
  select target, entity, rescan, reconcile, error, revisit_error from staffetta.route
  union all -- a retired target has no routes any longer, but links
  select t.target, l.entity, 0, 0, null, null from staffetta.target t left join linked l on l.target = t.target where t.state = 'retired'),
whole as (
  select (select count(*) from staffetta.event) as events_waiting,
    (select count(*) from staffetta.event_failed) as events_failed,
    (select count(*) from staffetta.source where error is not null) as sources_failing,
    (select count(*) from staffetta.daemon) as daemons,
    (select min(d.message) from staffetta.daemon d where d.state = 'refused') as refusal)
select r.target, r.entity, t.type, t.state, t.reason, t.since,
  coalesce(l.links, 0) as links,
  coalesce(o.pending, 0) as pending, coalesce(o.claimed, 0) as claimed, coalesce(o.waiting, 0) as waiting,
  coalesce(o.held, 0) as held, coalesce(o.parked, 0) as parked, coalesce(o.retrying, 0) as retrying,
  o.oldest_due,
  greatest(extract(epoch from clock_timestamp() - o.oldest), 0)::numeric(12, 3) as lag_seconds,
  (select max(j.at) from staffetta.journal j where j.target = r.target and j.entity = r.entity and j.result in ('done', 'warned')) as last_done_at,
  r.rescan as rescans_owed, r.error, t.mode,
  w.events_waiting, w.events_failed, w.sources_failing, w.daemons,
  array_remove(array[
    case when t.mode = 'observe' then 'the target is only observed: nothing is sent' end,
    case when t.state = 'retired' then
      format('no longer configured: %s links kept, nothing is sent; configure it again, or "staffetta forget %s"', coalesce(l.links, 0), t.target) end,
    case when t.state in ('waiting', 'quarantined', 'paused') then format('the target is %s%s', t.state, coalesce(': ' || t.reason, '')) end,
    case when r.error is not null then 'the desired state cannot be read: ' || r.error end,
    'the query of "revisit" fails, so that nothing is looked at again for time having passed: ' || r.revisit_error,
    case when r.reconcile > 0 then 'the links may have lost what happened last: removals wait for a reconcile' end,
    case when o.held > 0 then format('%s held by the guard: staffetta held, then approve or discard', o.held) end,
    case when o.word > 0 and t.mode = 'observe' then format('%s to be changed when the target is live: staffetta held', o.word)
         when o.word > 0 then format('%s to be approved or discarded: staffetta held', o.word) end,
    case when o.parked > 0 then format('%s parked: select * from staffetta.failures', o.parked) end,
    case when w.sources_failing > 0 then format('%s source(s) cannot be ingested: select * from staffetta.failures', w.sources_failing) end,
    case when w.events_failed > 0 then format('%s event(s) could not be ingested: select * from staffetta.failures', w.events_failed) end,
    'a daemon delivers nothing: ' || w.refusal,
    case when w.daemons = 0 then 'no daemon is running: staffetta run' end], null) as attention
from place r
join staffetta.target t on t.target = r.target
left join owed o on o.target = r.target and o.entity = r.entity
left join linked l on l.target = r.target and l.entity = r.entity
cross join whole w;

comment on view staffetta.status is 'One row per target and entity: how much is there, how much is owed, how late, and what needs a person';
comment on column staffetta.status.entity is 'null: of a retired target that has no links';
comment on column staffetta.status.state is 'of the target: active, paused, waiting (cannot be reached), quarantined (its configuration is wrong) or retired';
comment on column staffetta.status.pending is 'owed and not claimed; retrying are those of them that have failed before';
comment on column staffetta.status.lag_seconds is 'age of the oldest change that is on its way; 0: nothing is. Removals that wait for a return do not count';
comment on column staffetta.status.mode is 'of the target: observe (nothing is sent), manual (what was approved is) or live';
comment on column staffetta.status.events_waiting is 'of all sources: changes that have not become deliveries yet';
comment on column staffetta.status.daemons is 'that are alive';
comment on column staffetta.status.attention is 'what needs a person; empty: nothing';
