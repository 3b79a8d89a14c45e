-- The one statement with which administrators' functions and the rescan make deliveries. Ingest has the same upsert with
-- the events' own causes.

-- The SQL that enqueues the rows of the query `work` (target, entity, key, priority; each key once), but for keys that are
-- too long. It takes the cause as $1 and the actor as $2.
--   forced: somebody asked. Due now, attempts 0, and unsure: the live entry is read before anything is believed (B5).
--   not forced: a difference was found. A delivery that is pending and not claimed is going to look anyway and is left
--   as it is; a claimed one gets a new rev, so that it is looked at once more, and keeps its cause, which is that of what
--   is being done; what was parked, held or waiting is tried.
create or replace function staffetta.enqueue_statement(work text, forced boolean) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'insert into staffetta.delivery as d (target, entity, key, priority, unsure, first_cause, first_actor, last_cause, last_actor)
     select w.target, w.entity, w.key, w.priority, %1$L::boolean, $1, $2, $1, $2 from (%2$s) w
     where octet_length(w.key) <= staffetta.longest_key() %4$s
     order by w.target collate "C", w.entity collate "C", w.key collate "C"  -- PROTOCOL B9
     on conflict (target, entity, key) do update set
       rev = d.rev + 1, state = ''pending'', priority = least(d.priority, excluded.priority), unsure = d.unsure or excluded.unsure,
       wait_entity = null, wait_key = null, events = d.events + 1,
       last_at = clock_timestamp(), %3$s',
    forced, work,
    case when forced then 'last_cause = excluded.last_cause, last_actor = excluded.last_actor, last_xid = null, attempts = 0, due_at = clock_timestamp()'
         else 'last_cause = case when d.token is null then excluded.last_cause else d.last_cause end,
               last_actor = case when d.token is null then excluded.last_actor else d.last_actor end,
               last_xid = case when d.token is not null then d.last_xid end,
               due_at = case when d.state in (''held'', ''parked'') then clock_timestamp()  -- not before the bounds of claims (B11)
                             when d.attempts > 0 then d.due_at else least(d.due_at, clock_timestamp()) end
               where d.state <> ''pending'' or d.token is not null' end,
    -- a row that is only found to be there is locked all the same, until the end of the rescan: nobody could claim it
    case when not forced then 'and not exists (select from staffetta.delivery p
      where (p.target, p.entity, p.key) = (w.target, w.entity, w.key) and p.state = ''pending'' and p.token is null)' end) $$;
comment on function staffetta.enqueue_statement(text, boolean) is 'The SQL that enqueues the rows of a query (target, entity, key, priority)';
revoke all on function staffetta.enqueue_statement(text, boolean) from public;

-- After many deliveries were made at once the planner is told at once, not within a minute: the plans for a few, which are
-- made once, may be from when there were none.
create or replace function staffetta.tell_planner(enqueued bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if enqueued > 1000 then
    analyze (skip_locked) staffetta.delivery;
  end if;
end $$;
comment on function staffetta.tell_planner(bigint) is 'Gathers statistics of the deliveries if many were made at once';
revoke all on function staffetta.tell_planner(bigint) from public;
