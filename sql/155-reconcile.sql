-- What a live reconcile (src/reconcile) records. The comparison itself needs the target, so there is no SQL function that
-- does all of it.

-- A new run of a route. Whatever earlier runs left unfinished is over: their processes are no more, for one reconcile of
-- a route runs at a time.
create or replace function staffetta.begin_reconcile(target text, entity text, repair boolean) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  result bigint;
begin
  delete from staffetta.reconcile_drift d using staffetta.reconcile_run r
  where r.run = d.run and (r.target, r.entity) = (begin_reconcile.target, begin_reconcile.entity) and r.finished_at is null;
  update staffetta.reconcile_run r set finished_at = clock_timestamp(), error = 'it was interrupted'
  where (r.target, r.entity) = (begin_reconcile.target, begin_reconcile.entity) and r.finished_at is null;
  insert into staffetta.reconcile_run (target, entity, repair) values (begin_reconcile.target, begin_reconcile.entity, begin_reconcile.repair)
  returning run into result;
  return result;
end $$;
comment on function staffetta.begin_reconcile(text, text, boolean) is 'A new run of a live reconcile';
revoke all on function staffetta.begin_reconcile(text, text, boolean) from public;

-- Ends a run that has not seen everything: nothing is concluded from it. An owed reconcile is tried again after a pause
-- that doubles from one minute to one hour.
create or replace function staffetta.fail_reconcile(run bigint, error text) returns staffetta.reconcile_run
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  this staffetta.reconcile_run;
  failures bigint;
begin
  delete from staffetta.reconcile_drift d where d.run = fail_reconcile.run;
  update staffetta.reconcile_run r set finished_at = clock_timestamp(), error = fail_reconcile.error
  where r.run = fail_reconcile.run returning * into strict this;
  select count(*) into failures from staffetta.reconcile_run r
  where (r.target, r.entity) = (this.target, this.entity) and r.run > coalesce(
    (select max(o.run) from staffetta.reconcile_run o where (o.target, o.entity) = (this.target, this.entity) and o.complete), 0);
  update staffetta.route r set reconcile_retry_at = clock_timestamp() + least(2 ^ (least(failures, 10) - 1) * interval '1 min', interval '1 hour')
  where (r.target, r.entity) = (this.target, this.entity);
  return this;
end $$;
comment on function staffetta.fail_reconcile(bigint, text) is 'Ends a run of a live reconcile that has not seen everything';
revoke all on function staffetta.fail_reconcile(bigint, text) from public;

-- Ends a run that has seen everything. What differed because a delivery was about to change it, or just had, is no drift.
-- A repairing run enqueues what can be repaired: unsure, so that each live entry is read once more before anything is
-- written (PROTOCOL B5); an entry of ours that no link tells of is looked for under the id reserved here. `owed`: the
-- debt of the route when the run began, which it has paid (PROTOCOL C6).
create or replace function staffetta.finish_reconcile(run bigint, seen bigint, owed bigint) returns staffetta.reconcile_run
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  this staffetta.reconcile_run;
  passing bigint;
  enqueued bigint;
begin
  select * into strict this from staffetta.reconcile_run r where r.run = finish_reconcile.run for update;

  delete from staffetta.reconcile_drift d where d.run = this.run and (
    exists (
      select from staffetta.delivery o
      where (o.target, o.entity, o.key) = (this.target, this.entity, d.key) and o.state in ('pending', 'waiting'))
    or exists (
      select from staffetta.link l where (l.target, l.entity, l.key) = (this.target, this.entity, d.key) and l.at > this.started_at)
    or d.key is null and exists (  -- somebody's entry by now, or about to be
      select from staffetta.remote_id i
      left join staffetta.link l on (l.target, l.entity, l.key) = (i.target, i.entity, i.key)
      left join staffetta.delivery o on (o.target, o.entity, o.key) = (i.target, i.entity, i.key)
      where (i.target, i.normalised) = (this.target, d.normalised) and (l.at > this.started_at or o.state in ('pending', 'waiting')))
    or d.key is null and lower(d.remote_id) in (  -- removed between being seen and being looked up
      select lower(j.remote_id) from staffetta.journal j
      where j.target = this.target and j.at >= this.started_at and j.operation in ('remove', 'release') and j.remote_id is not null));
  get diagnostics passing = row_count;

  if this.repair then
    update staffetta.reconcile_drift d set repaired = true where d.run = this.run and d.repairable;
    insert into staffetta.remote_id (target, normalised, entity, key)
    select distinct on (d.normalised) this.target, d.normalised, this.entity, d.key from staffetta.reconcile_drift d
    where d.run = this.run and d.repaired and d.normalised is not null order by d.normalised, d.key
    on conflict do nothing;
    execute staffetta.enqueue_statement(format(
      'select %L::text as target, %L::text as entity, k.key, (count(*) over () > %s)::int::smallint as priority
       from (select distinct d.key from staffetta.reconcile_drift d where d.run = $3 and d.repaired) k',
      this.target, this.entity, staffetta.parameter_number('BULK_ROWS')), true)
      using 'reconcile', staffetta.actor(), this.run;
    get diagnostics enqueued = row_count;
    if enqueued > 0 then
      perform pg_notify('staffetta', 'due');
    end if;
    update staffetta.route r set reconcile = greatest(r.reconcile - owed, 0)
    where (r.target, r.entity) = (this.target, this.entity) and owed > 0;
  end if;
  update staffetta.route r set reconcile_retry_at = null
  where (r.target, r.entity) = (this.target, this.entity) and r.reconcile_retry_at is not null;

  update staffetta.reconcile_run r set finished_at = clock_timestamp(), complete = true, seen = finish_reconcile.seen, under_way = passing,
    missing = d.missing, changed = d.changed, misplaced = d.misplaced, unlinked = d.unlinked, unexpected = d.unexpected,
    unreadable = d.unreadable, repaired = d.repaired
  from (
    select count(*) filter (where what = 'missing') as missing, count(*) filter (where what = 'changed') as changed,
      count(*) filter (where what = 'misplaced') as misplaced, count(*) filter (where what = 'unlinked') as unlinked,
      count(*) filter (where what = 'unexpected') as unexpected, count(*) filter (where what = 'unreadable') as unreadable,
      count(*) filter (where repaired) as repaired
    from staffetta.reconcile_drift where run = this.run) d
  where r.run = this.run returning r.* into this;

  delete from staffetta.reconcile_drift d using staffetta.reconcile_run r
  where r.run = d.run and (r.target, r.entity) = (this.target, this.entity) and r.run < this.run;
  return this;
end $$;
comment on function staffetta.finish_reconcile(bigint, bigint, bigint) is 'Ends a run of a live reconcile that has seen everything, and enqueues the repairs';
revoke all on function staffetta.finish_reconcile(bigint, bigint, bigint) from public;

create or replace view staffetta.drift as
select r.target, r.entity, d.key, d.what, d.remote_id, d.attributes, d.note, d.repaired, r.finished_at as at
from staffetta.reconcile_drift d join staffetta.reconcile_run r using (run)
where r.complete;
comment on view staffetta.drift is 'How the live targets differed from their desired states when they were last compared';
comment on column staffetta.drift.key is 'null: no identity accounts for the entry';
comment on column staffetta.drift.what is
  'missing; changed (attributes); misplaced (another remote id); unlinked (there, but no link tells of it); unexpected (nobody''s entry); unreadable (the desired state, or the entry)';
comment on column staffetta.drift.attributes is 'the names of those that differ';
comment on column staffetta.drift.repaired is 'whether a delivery was enqueued that mends it';
