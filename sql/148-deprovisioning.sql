-- What becomes of the entries of identities that have left the view, and when. A link remembers when a replay first
-- proved its key absent; the route says which steps follow, and after how long. In between nothing is owed. Everything is
-- worked out from these two when it is looked at, so that another mapping counts for whoever is on the way already.

-- The next step of an entry whose link has this state, and so long after its key was first proven absent; nulls: none.
create or replace function staffetta.next_step(deprovision jsonb, state text, out step text, out after interval)
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select s.value ->> 'do', make_interval(secs => (s.value ->> 'after')::float8)
  from jsonb_array_elements(deprovision) with ordinality s(value, position)
  where state <> 'disabled' or s.value ->> 'do' = 'delete' order by s.position limit 1 $$;
comment on function staffetta.next_step(jsonb, text) is 'The next step of deprovisioning an entry, and so long after its key was first proven absent';
revoke all on function staffetta.next_step(jsonb, text) from public;

-- Makes a delivery for each link whose next step is due, unless there is one already, whatever became of that; answers
-- with their number. The replay proves the absence once more before it takes the step (PROTOCOL C1).
create or replace function staffetta.enqueue_steps() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  enqueued bigint;
begin
  insert into staffetta.delivery (target, entity, key, priority, absent_since, first_cause, first_actor, last_cause, last_actor)
  select r.target, r.entity, l.key, (count(*) over () > staffetta.parameter_number('BULK_ROWS'))::int, l.absent_since, c.cause, staffetta.actor(), c.cause, staffetta.actor()
  from staffetta.route r join staffetta.target t on t.target = r.target and t.state <> 'retired' and t.mode <> 'observe'
  cross join (values ('active'), ('kept'), ('disabled')) s(state)
  cross join lateral staffetta.next_step(r.deprovision, s.state) n
  cross join lateral (
    select * from staffetta.link o
    where (o.target, o.entity, o.state) = (r.target, r.entity, s.state) and o.absent_since <= now() - n.after and not o.spared offset 0) l
  cross join lateral (values ('deprovision: ' || n.step)) c(cause)
  where n.step is not null and not exists (select from staffetta.delivery d where (d.target, d.entity, d.key) = (r.target, r.entity, l.key))
  order by r.target collate "C", r.entity collate "C", l.key collate "C"  -- PROTOCOL B9
  on conflict do nothing;
  get diagnostics enqueued = row_count;
  if enqueued > 0 then
    perform pg_notify('staffetta', 'due'), staffetta.tell_planner(enqueued);
  end if;
  return enqueued;
end $$;
comment on function staffetta.enqueue_steps() is 'Makes a delivery for each link whose next step of deprovisioning is due';
revoke all on function staffetta.enqueue_steps() from public;

create or replace view staffetta.deprovisioning as
select l.target, l.entity, l.key, l.remote_id, l.state, l.absent_since as since, n.step as next_step, l.absent_since + n.after as next_at
from staffetta.link l join staffetta.route r on r.target = l.target and r.entity = l.entity
cross join lateral staffetta.next_step(case when l.spared then '[]' else r.deprovision end, l.state) n
where l.absent_since is not null;
comment on view staffetta.deprovisioning is 'Entries whose identities have left the view: since when, and what is done next';
comment on column staffetta.deprovisioning.state is 'of the entry: active (nothing was done to it yet), disabled or kept';
comment on column staffetta.deprovisioning.since is 'when a replay first proved the identity absent; steps count from here';
comment on column staffetta.deprovisioning.next_step is 'disable or delete; null: nothing more, it stays as it is';
