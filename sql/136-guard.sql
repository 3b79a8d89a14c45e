-- The guard: removals and mass changes beyond a threshold are held until an administrator has looked (PROTOCOL C3).
--
-- A budget per route and kind, in a rolling window: so many per cent of the entity's links, and always as many as the
-- floor. The row of the route is locked while a batch asks, so that all slots share it. A wave – what is known to be
-- owed beyond the batch that asks – is held whole, from its first: nobody is harmed by the first ten per cent of a
-- mistake.

-- How many deliveries of a route have been proven absent and are about to be removed or disabled.
create or replace function staffetta.removal_wave(target text, entity text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
  select count(*) from staffetta.delivery d
  where (d.target, d.entity) = (removal_wave.target, removal_wave.entity) and d.absent_since is not null
    and d.state in ('pending', 'waiting', 'held') and d.approved is distinct from d.rev
    and (d.state = 'held' or d.due_at < clock_timestamp() + interval '1 hour') $$; -- not steps that are days away
comment on function staffetta.removal_wave(text, text) is 'How many deliveries of a route are about to remove or disable';
revoke all on function staffetta.removal_wave(text, text) from public;

drop function if exists staffetta.clearing_wave(text, text, text[]); -- it always looked at 10,000

-- How many of a route's deliveries would leave an entry without any value of one of these attributes, of those that are
-- owed: at most so many of them are looked at, of more the share is taken.
create or replace function staffetta.clearing_wave(target text, entity text, attributes text[], looks int) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
  view text := 'desired_' || target || '_' || entity;
  type text := (select k.type from staffetta.key_type(target, entity) k);
  members text := 'false';
  owed bigint;
  looked bigint;
  cleared bigint;
begin
  select count(*) into owed from staffetta.delivery d
  where (d.target, d.entity) = (target, entity) and d.state in ('pending', 'waiting', 'held') and d.approved is distinct from d.rev;
  if to_regclass(format('staffetta.%I', view || '_refs')) is not null then
    members := format(
      'exists (select from staffetta.reference r where (r.target, r.entity, r.key) = ($1, $2, o.key) and r.attribute = any ($3) and r.applied is not null
         and not exists (select from staffetta.%I x where x.key = o.key::%s and x.attribute = r.attribute))', view || '_refs', type);
  end if;
  execute format(
    'select count(*), count(*) filter (where exists (
         select from unnest($3) a(name) where l.attributes ? a.name and jsonb_array_length(l.attributes -> a.name) > 0 and not (w.attributes ? a.name)) or %s)
     from (select d.key from staffetta.delivery d
       where (d.target, d.entity) = ($1, $2) and d.state in (''pending'', ''waiting'', ''held'') and d.approved is distinct from d.rev limit $4) o
     join staffetta.link l on (l.target, l.entity, l.key) = ($1, $2, o.key)
     cross join lateral (select x.attributes from staffetta.%I x where x.key = o.key::%s and not x.released offset 0) w', members, view, type)
  into looked, cleared using target, entity, attributes, looks;
  return case when looked = 0 then 0 else ceil(cleared * (greatest(owed, looked)::numeric / looked)) end;
exception when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
  return 0; -- a row that cannot be read spoils the estimate, and is parked by itself; what goes out is counted all the same
end $$;
comment on function staffetta.clearing_wave(text, text, text[], int) is 'How many owed deliveries of a route would clear one of these attributes';
revoke all on function staffetta.clearing_wave(text, text, text[], int) from public;

-- Asks for so many removals, or changes that clear these attributes, of a route: null where they may go out, and are
-- counted; else why they may not.
create or replace function staffetta.spend(target text, entity text, kind text, wanted int, attributes text[]) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
  guard staffetta.target;
  share numeric;
  links bigint;
  allowed bigint;
  spent bigint;
  wave bigint;
  present boolean;
begin
  select t.* into strict guard from staffetta.target t where t.target = target;
  share := case kind when 'removal' then guard.guard_removals else guard.guard_changes end;
  if share >= 1 then
    return null;
  end if;
  perform from staffetta.route r where (r.target, r.entity) = (target, entity) for update;
  if kind = 'removal' then
    execute format('select exists (select from staffetta.%I x where not x.released)', 'desired_' || target || '_' || entity) into present;
    if not present then
      return format('nobody is left in the view of %s, so that all of them would go', entity);
    end if;
  end if;
  delete from staffetta.guard_spent s
  where (s.target, s.entity, s.kind) = (target, entity, kind) and s.at < clock_timestamp() - guard.guard_window;
  select coalesce(sum(s.count), 0) into spent from staffetta.guard_spent s where (s.target, s.entity, s.kind) = (target, entity, kind);
  allowed := guard.guard_floor;
  wave := wanted;
  if kind = 'removal' then
    wave := greatest(wave, staffetta.removal_wave(target, entity));
  -- A few may be the first, or the last, of very many: a small sample of these tells.
  elsif spent + wanted > allowed / 2 or spent + staffetta.clearing_wave(target, entity, attributes, 100) > allowed then
    wave := greatest(wave, staffetta.clearing_wave(target, entity, attributes, 10000));
  end if;
  if spent + wave > allowed then
    -- Counted only where the floor is not enough: there may be millions.
    select count(*) into links from staffetta.link l where (l.target, l.entity) = (target, entity);
    allowed := greatest(allowed, floor(share * (links + case kind when 'removal' then spent else 0 end))); -- of those there were
  end if;
  if spent + wave > allowed then
    return format('%s %s are due, %s were let through in the last %s, and the guard lets through %s',
      wave, case kind when 'removal' then 'removals' else 'changes that clear values or members' end, spent, staffetta.spelled(guard.guard_window), allowed);
  end if;
  insert into staffetta.guard_spent (target, entity, kind, count) values (target, entity, kind, wanted);
  return null;
end $$;
comment on function staffetta.spend(text, text, text, int, text[]) is 'Asks the guard to let removals or mass changes through; null: they may go out';
revoke all on function staffetta.spend(text, text, text, int, text[]) from public;

-- An interval as people say it: 24 h, 90 min, 7 d.
create or replace function staffetta.spelled(span interval) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case
    when s >= 172800 and s % 86400 = 0 then s / 86400 || ' d'
    when s >= 7200 and s % 3600 = 0 then s / 3600 || ' h'
    when s >= 120 and s % 60 = 0 then s / 60 || ' min'
    else s || ' s' end
  from (select extract(epoch from span)::bigint as s) x $$;
comment on function staffetta.spelled(interval) is 'An interval as people say it';
revoke all on function staffetta.spelled(interval) from public;

-- What waits for an administrator's word: held by the guard, or of a target in manual mode.
create or replace view staffetta.held as
select d.target, d.entity, d.key, case d.state when 'held' then 'guard' else t.mode end as by, d.planned, d.error as reason,
  d.first_at as since, d.last_cause, d.last_actor
from staffetta.delivery d join staffetta.target t using (target)
where d.state = 'held' or (d.state = 'waiting' and d.due_at = 'infinity');
comment on view staffetta.held is 'What waits for the word of an administrator: staffetta approve, staffetta discard';
comment on column staffetta.held.by is 'guard: too many at once; manual: the mode of the target; observe: doubtful since before it was observed';
comment on column staffetta.held.planned is 'what would be done';

-- Keys of a target (null: all) that wait for a word, locked in order (PROTOCOL B9).
create or replace function staffetta.lock_held(target text, entity text, keys text[]) returns setof staffetta.delivery
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
  route record;
  canonical text[];
begin
  if target is null then
    raise exception 'Of which target? Write, for example: select * from staffetta.approve(''directory'').' using errcode = 'ST001';
  end if;
  if keys is not null and entity is null then
    raise exception 'Of which entity are these keys? Write, for example: select * from staffetta.approve(''directory'', ''person'', ''{42}'').'
      using errcode = 'ST001';
  end if;
  for route in select r.target, r.entity from staffetta.routes(target, entity) r order by 1, 2 loop
    canonical := case when keys is not null then staffetta.canonical_keys(route.target, route.entity, keys) end;
    return query select d.* from staffetta.delivery d
      where (d.target, d.entity) = (route.target, route.entity) and (canonical is null or d.key = any (canonical))
        and (d.state = 'held' or (d.state = 'waiting' and d.due_at = 'infinity'))
      order by d.target, d.entity, d.key for update;
  end loop;
end $$;
comment on function staffetta.lock_held(text, text, text[]) is 'Locks what waits for a word';
revoke all on function staffetta.lock_held(text, text, text[]) from public;

-- Approve what is held or waits for a word: it becomes due, and its next replay, which proves everything anew, may do what
-- it plans. Nothing that an event touched since is meant.
create or replace function staffetta.approve(target text, entity text default null, keys text[] default null, reason text default null)
returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
    with meant as materialized (select h.* from staffetta.lock_held(approve.target, approve.entity, approve.keys) h),
    approved as (
      update staffetta.delivery d set state = 'pending', approved = d.rev, due_at = clock_timestamp(), attempts = 0, error = null, error_kind = null,
        error_at = null, last_at = clock_timestamp(), last_cause = 'approved' || coalesce(': ' || nullif(approve.reason, ''), ''),
        last_actor = staffetta.actor()
      from meant m where (d.target, d.entity, d.key) = (m.target, m.entity, m.key) returning d.target, d.entity)
    select a.target::text, a.entity::text, count(*), 'approved'::text from approved a group by 1, 2 order by 1, 2;
  if not found then
    return query select approve.target, approve.entity, 0::bigint, 'nothing waits for a word'::text;
  end if;
  perform pg_notify('staffetta', 'due');
end $$;
comment on function staffetta.approve(text, text, text[], text) is 'Approve what the guard holds or a manual target waits for; it is proven anew before it is done';
revoke all on function staffetta.approve(text, text, text[], text) from public;

-- Discard what is held or waits for a word: it is not done. Where an entry would have been removed or disabled, it is kept
-- from now on, until its identity is back.
create or replace function staffetta.discard(target text, entity text default null, keys text[] default null, reason text default null)
returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
    with meant as materialized (select h.* from staffetta.lock_held(discard.target, discard.entity, discard.keys) h),
    kept as (
      update staffetta.link l set state = case l.state when 'active' then 'kept' else l.state end, fingerprint = null, spared = true from meant m
      where (l.target, l.entity, l.key) = (m.target, m.entity, m.key) and m.absent_since is not null),
    gone as (
      delete from staffetta.delivery d using meant m where (d.target, d.entity, d.key) = (m.target, m.entity, m.key) returning d.*),
    journaled as (
      insert into staffetta.journal (target, entity, key, operation, result, lag, xid, actor, cause, message)
      select g.target, g.entity, g.key, 'none', 'discarded', clock_timestamp() - g.first_at, g.last_xid, staffetta.actor(), g.last_cause,
        coalesce(nullif(discard.reason, ''), 'discarded') || coalesce(' (' || g.planned || ')', '') from gone g)
    select g.target::text, g.entity::text, count(*), 'discarded'::text from gone g group by 1, 2 order by 1, 2;
  if not found then
    return query select discard.target, discard.entity, 0::bigint, 'nothing waits for a word'::text;
  end if;
end $$;
comment on function staffetta.discard(text, text, text[], text) is 'Do not do what the guard holds or a manual target waits for';
revoke all on function staffetta.discard(text, text, text[], text) from public;
