-- Every delivery that is owed, and why it has not been paid yet.
create or replace view staffetta.backlog as
select d.target, d.entity, d.key,
  case when d.token is not null then 'claimed' else d.state end as state,
  case
    when d.token is not null and d.lease_until < clock_timestamp() then 'its worker went silent; another takes over'
    when d.token is not null then 'a worker is at it'
    when d.state = 'parked' then 'failed for good until somebody changes something'
    when d.state = 'held' then 'held by the guard' || coalesce(': ' || d.error, '')
    when d.due_at = 'infinity' then coalesce(d.error, 'waits for a word')
    when d.state = 'waiting' and d.wait_key is not null then format('waits for %s %s', d.wait_entity, d.wait_key)
    when d.state = 'waiting' and d.wait_target is not null then coalesce(d.error, 'waits for target ' || d.wait_target)
    when d.state = 'waiting' then 'waits for an entry that must be there first'
    when t.state <> 'active' then format('the target is %s%s', t.state, coalesce(': ' || t.reason, ''))
    when r.error is not null then 'its desired state cannot be read: ' || r.error
    when d.attempts > 0 then format('attempt %s failed; the next is due', d.attempts)
    when d.absent_since is not null and d.due_at > clock_timestamp() then 'left the view; its removal waits a moment for a return'
    when d.due_at > clock_timestamp() then 'not due yet'
    else 'due'
  end as why,
  d.first_at as since,
  case when d.state in ('parked', 'held') or d.due_at = 'infinity' then null
       when d.token is not null then d.lease_until
       else greatest(d.due_at, t.retry_at, r.retry_at) end as next_attempt,
  d.attempts,
  case d.priority when 0 then 'interactive' else 'bulk' end as priority,
  d.unsure as forced,
  d.events, d.first_cause, d.first_actor, d.last_at, d.last_cause, d.last_actor,
  d.wait_entity, d.wait_key, d.error_kind, d.error, d.error_at
from staffetta.delivery d
left join staffetta.target t on t.target = d.target
left join staffetta.route r on r.target = d.target and r.entity = d.entity;

comment on view staffetta.backlog is 'Every delivery that is owed, and why it has not been paid yet';
comment on column staffetta.backlog.state is 'pending, claimed, waiting, held or parked';
comment on column staffetta.backlog.since is 'when its first cause came in';
comment on column staffetta.backlog.next_attempt is 'not before; null: not by itself. Of a claimed one: when another worker may take it over';
comment on column staffetta.backlog.forced is 'the live entry is read before the link is believed';
