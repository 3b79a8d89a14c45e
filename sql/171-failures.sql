-- Everything that does not go by itself, with what to do about it.
create or replace view staffetta.failures as
select case d.state when 'parked' then 'parked' else 'retrying' end as failure,
  d.target, d.entity, d.key, null::text as source, coalesce(d.error_at, d.last_at) as since, d.error_kind as kind, d.error as message,
  case
    when d.state <> 'parked' then format('Nothing yet: attempt %s is made by itself. To try at once: select staffetta.retry(%L, %L, %L).',
      d.attempts + 1, d.target, d.entity, array[d.key])
    when d.wait_attribute <> '' then format('Give one of the two another value of %s, in its row: then both go on by themselves.', d.wait_attribute)
    when d.error_kind = 'exists' then format('Another entry has this id. Remove or rename that entry, or set "match" so that it is adopted; then select staffetta.retry(%L, %L, %L).',
      d.target, d.entity, array[d.key])
    when d.error_kind = 'one-sided' then format('Give Staffetta the right to write this entry, then select staffetta.retry(%L, %L, %L).', d.target, d.entity, array[d.key])
    when d.wait_target is not null then format('Mend what keeps it on target %s (staffetta explain %s %s says what); then it goes on by itself.', d.wait_target, d.entity, d.key)
    when d.error_kind = 'dependency' then format('The entry it needs (its parent, a member) is not there: create it, then select staffetta.retry(%L, %L, %L).', d.target, d.entity, array[d.key])
    else format('Correct the row, or what the message names; a change of the row tries again by itself, else select staffetta.retry(%L, %L, %L).', d.target, d.entity, array[d.key])
  end as what_to_do
from staffetta.delivery d
where d.state = 'parked' or (d.state in ('pending', 'waiting') and d.attempts > 0 and d.error is not null)
union all
select 'target ' || t.state, t.target, null, null, null, t.since, null, coalesce(t.reason, 'no reason was recorded'),
  case t.state
    when 'waiting' then format('Nothing, if this is known: it is tried again by itself%s. Else see whether the server runs and can be reached: staffetta ping %s.',
      coalesce(' at ' || to_char(t.retry_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), ''), t.target)
    else format('Correct its credentials, rights or certificates, try "staffetta ping %s", then select staffetta.retry(%L).', t.target, t.target)
  end
from staffetta.target t where t.state in ('waiting', 'quarantined')
union all
select 'desired state', r.target, r.entity, null, null, r.error_at, null, r.error,
  'Correct the view (or the mapping, then run "staffetta apply"). It is tried again by itself; nothing is removed meanwhile.'
from staffetta.route r where r.error is not null
union all
select 'revisit', r.target, r.entity, null, null, r.revisit_error_at, null, r.revisit_error,
  'Correct the query of "revisit" (then run "staffetta apply"), or what it reads. It is tried again with each sweep, which makes up for what was missed.'
from staffetta.route r where r.revisit_error is not null
union all
select 'reconcile', n.target, n.entity, null, null, n.finished_at, null, n.error,
  format('Correct what the message names; it is tried again on its schedule, or at once with "staffetta reconcile %s". Nothing was concluded from what was not seen.', n.target)
from (
  select distinct on (target, entity) * from staffetta.reconcile_run where finished_at is not null order by target, entity, run desc) n
where n.error is not null
union all
select 'source', null, null, null, s.source, s.error_at, null, s.error,
  'Correct the key expression or the query of this source, or what they read, then run "staffetta apply". Its events are kept and tried again by themselves.'
from staffetta.source s where s.error is not null
union all
select 'event', null, null, left(array_to_string(e.cols, ', ', 'null'), 200), e.source, e.failed_at, null, e.error,
  'Correct the key expression or the row, then replay the key it stands for, and delete the row of staffetta.event_failed.'
from staffetta.event_failed e
union all
select 'daemon', null, null, null, null, d.beat_at, null, format('%s, process %s: %s', d.host, d.pid, d.message),
  'See the message; usually: start it again with the configuration that was applied last.'
from staffetta.daemon d where d.message is not null
union all
select 'daemon', null, null, null, null, (select max(beat_at) from staffetta.instance), null, 'no daemon is running', 'Start one: staffetta run.'
where not exists (select from staffetta.daemon)
  and (exists (select from staffetta.event) or exists (select from staffetta.delivery d where d.state = 'pending') or exists (select from staffetta.route r where r.rescan > 0));

comment on view staffetta.failures is 'Everything that does not go by itself, with what to do about it';
comment on column staffetta.failures.failure is 'parked, retrying, target waiting, target quarantined, desired state, revisit, reconcile, source, event or daemon';
comment on column staffetta.failures.key is 'of an event: the captured columns, 200 characters of them at most';
