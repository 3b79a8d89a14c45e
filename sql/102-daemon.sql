-- The daemons that are alive: those whose heartbeat is not older than they said it would ever be, and a little more.
create or replace view staffetta.daemon as
select instance, host, pid, version, revision, state, message, started_at, beat_at
from staffetta.instance
where state <> 'once' and beat_at > clock_timestamp() - silence - interval '10 seconds';
comment on view staffetta.daemon is 'The daemons that are alive';

-- Jobs of graphile-worker that these worker pools had begun run again: whoever ran them is no more. How many.
create or replace function staffetta.free_jobs(pools text[]) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  jobs bigint[];
begin
  select coalesce(array_agg(j.id order by j.id), '{}') into jobs from graphile_worker.jobs j where j.locked_by = any (pools);
  perform graphile_worker.force_unlock_workers(pools);
  perform graphile_worker.reschedule_jobs(jobs, run_at => now(), attempts => 0);
  return cardinality(jobs);
end $$;
comment on function staffetta.free_jobs(text[]) is 'The jobs that these worker pools had begun run again';
revoke all on function staffetta.free_jobs(text[]) from public;

-- Takes over from daemons that are dead: what they had claimed can be claimed at once. It keeps its token, so that whoever
-- claims it reads the live entry first: what the dead one did is not known (PROTOCOL B5). `dead`: whose process is no more;
-- `silent`: who gave no sign of life; one that gave one at this very moment is left alone. Null: there is nobody to take over from, or
-- others did.
create or replace function staffetta.take_over(dead uuid[], silent uuid[], out instances int, out deliveries int, out jobs int)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  gone uuid[];
  pools text[];
begin
  with deleted as (
    delete from staffetta.instance i
    where i.instance = any (dead) or (i.instance = any (silent) and i.beat_at < clock_timestamp() - i.silence)
    returning i.instance, i.pool)
  select array_agg(d.instance), coalesce(array_agg(d.pool) filter (where d.pool is not null), '{}') into gone, pools from deleted d;
  if gone is null then
    return;
  end if;
  instances := cardinality(gone);
  with locked as materialized (  -- PROTOCOL B9
    select d.target, d.entity, d.key from staffetta.delivery d where d.claimed_by = any (gone)
    order by d.target, d.entity, d.key for update)
  update staffetta.delivery d set lease_until = now(), claimed_by = null
  from locked l where (d.target, d.entity, d.key) = (l.target, l.entity, l.key);
  get diagnostics deliveries = row_count;
  jobs := staffetta.free_jobs(pools);
end $$;
comment on function staffetta.take_over(uuid[], uuid[]) is 'What dead daemons had claimed can be claimed at once, as doubtful';
revoke all on function staffetta.take_over(uuid[], uuid[]) from public;
