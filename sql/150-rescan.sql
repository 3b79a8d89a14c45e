-- Compare all desired states with all links and enqueue the differences: what events missed, what time or a new mapping
-- changed. Everything happens in SQL, one set-based statement per route, so a million identities need no more memory
-- than one.

-- Compares the keys of a route (null: all) and enqueues those that differ. Runs under the settings of rescan().
create or replace function staffetta.compare_route(target text, entity text, keys text[], owed boolean, out compared bigint, out enqueued bigint)
language plpgsql as $$
declare
  statement text;
begin
  statement := format('%s, enqueued as (%s returning 1), told as (
       insert into staffetta.event_failed (seq, xid, at, source, op, cols, actor, error)
       select nextval(pg_get_serial_sequence(''staffetta.event'', ''seq'')), pg_current_xact_id(), clock_timestamp(), %L, ''R'', array[r.key], $2, staffetta.key_too_long(r.key)
       from refused r)
     select (select count(*) from compared), (select count(*) from enqueued)',
    staffetta.difference(target, entity, keys is not null),
    staffetta.enqueue_statement(format(
      'select %L::text as target, %L::text as entity, d.key, (count(*) over () > %s)::int::smallint as priority from different d',
      target, entity, staffetta.parameter_number('BULK_ROWS')), false),
    format('rescan of %s %s', target, entity));
  execute statement into compared, enqueued using 'rescan', staffetta.actor(), keys, owed;
end $$;
comment on function staffetta.compare_route(text, text, text[], boolean) is 'Compares keys of a route (null: all) and enqueues those that differ';
revoke all on function staffetta.compare_route(text, text, text[], boolean) from public;

-- Compares a route a thousand keys at a time, because some row of its view fails. A thousand that cannot be compared are
-- enqueued whole: replaying them finds the rows that are wrong and parks these alone (PROTOCOL B12).
create or replace function staffetta.compare_route_piecewise(target text, entity text, owed boolean, out compared bigint, out enqueued bigint)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  piece text[];
  part record;
  total bigint;
begin
  compared := 0;
  enqueued := 0;
  for piece in execute format(
    'select array_agg(p.key) from (
       select k.key, (row_number() over (order by k.key) - 1) / 1000 as piece from (
         select %1$s collate "C" as key from staffetta.%2$I d
         union select l.key from staffetta.link l where l.target = %3$L and l.entity = %4$L
         union select s.key from staffetta.delivery s where s.target = %3$L and s.entity = %4$L and s.state in (''waiting'', ''held'', ''parked'')) k) p
     group by p.piece order by p.piece',
    format((select t.canonical from staffetta.key_type(target, entity) t), 'd.key'), 'desired_' || target || '_' || entity, target, entity)
  loop
    begin
      select * into part from staffetta.compare_route(target, entity, piece, owed);
      compared := compared + part.compared;
      enqueued := enqueued + part.enqueued;
    exception when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
      execute staffetta.enqueue_statement(
        format('select %L::text as target, %L::text as entity, k as key, 1::smallint as priority from unnest($3) k where %s',
          target, entity, staffetta.worth_a_try(target, entity, 'k', 'null')), false)
        using 'rescan', staffetta.actor(), piece, owed;
      get diagnostics total = row_count;
      compared := compared + cardinality(piece);
      enqueued := enqueued + total;
    end;
  end loop;
end $$;
comment on function staffetta.compare_route_piecewise(text, text, boolean) is 'Compares a route a thousand keys at a time, where some row of its view fails';
revoke all on function staffetta.compare_route_piecewise(text, text, boolean) from public;

-- One rescan of a route at a time: two that read the same debt would lower it twice. To be waited for before anything else is
-- locked, since who has it waits for deliveries.
create or replace function staffetta.lock_rescan(target text, entity text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(7272002, hashtext(target || ' ' || entity)) $$;
comment on function staffetta.lock_rescan(text, text) is 'Waits until nobody else rescans a route, and keeps others from it until the transaction ends';
revoke all on function staffetta.lock_rescan(text, text) from public;

-- What is under way may have been loaded before the change that a rescan is about, and its link is not there to be
-- compared: it is looked at once more (PROTOCOL B8, B9).
create or replace function staffetta.look_again(target text, entity text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  with claimed as materialized (
    select d.key from staffetta.delivery d where d.target = look_again.target and d.entity = look_again.entity and d.token is not null
    order by d.key for update)
  update staffetta.delivery d set rev = d.rev + 1 from claimed c where (d.target, d.entity, d.key) = (look_again.target, look_again.entity, c.key) $$;
comment on function staffetta.look_again(text, text) is 'Has the deliveries of a route that are under way looked at once more';
revoke all on function staffetta.look_again(text, text) from public;

-- The rescan of one route, of which what is under way was seen to (`look_again`). A route whose view is missing or unreadable
-- says so in its row and in `status`, and still owes its rescan.
create or replace function staffetta.rescan_route(target text, entity text) returns setof staffetta.rescanned
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  owed bigint;
  done record;
  failure text;
begin
  perform staffetta.routes(rescan_route.target, rescan_route.entity);
  perform staffetta.lock_rescan(rescan_route.target, rescan_route.entity);
  select r.rescan into owed from staffetta.route r where (r.target, r.entity) = (rescan_route.target, rescan_route.entity);
  begin
    begin
      select * into done from staffetta.compare_route(rescan_route.target, rescan_route.entity, null, owed > 0);
    exception when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
      select * into done from staffetta.compare_route_piecewise(rescan_route.target, rescan_route.entity, owed > 0);
    end;
  exception when syntax_error_or_access_rule_violation or invalid_schema_name  -- classes 42 and 3F: the view is missing
    or data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
    failure := sqlerrm;
  end;

  if failure is not null then
    update staffetta.route r set error = failure, error_at = clock_timestamp() where (r.target, r.entity) = (rescan_route.target, rescan_route.entity);
    return query select rescan_route.target, rescan_route.entity, 0::bigint, 0::bigint, failure;
    return;
  end if;
  -- PROTOCOL A11: what was owed when the comparison began; what was added since is still owed
  update staffetta.route r set rescan = greatest(r.rescan - owed, 0), error = null, error_at = null, retry_at = null, failures = 0
  where (r.target, r.entity) = (rescan_route.target, rescan_route.entity) and (owed > 0 or r.error is not null);
  if done.enqueued > 0 then
    perform pg_notify('staffetta', 'due'), staffetta.tell_planner(done.enqueued);
  end if;
  return query select rescan_route.target, rescan_route.entity, done.compared, done.enqueued, null::text;
end $$;
comment on function staffetta.rescan_route(text, text) is 'The rescan of one route, of which what is under way was seen to';
revoke all on function staffetta.rescan_route(text, text) from public;

-- Compare all desired states (of a target, of an entity) with all links and enqueue the differences; each route by itself.
-- What is under way waits to be settled until the caller's transaction ends: the daemons and the command see to it in one
-- of its own.
create or replace function staffetta.rescan(target text default null, entity text default null) returns setof staffetta.rescanned
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
begin
  for route in select r.target::text, r.entity::text from staffetta.routes(rescan.target, rescan.entity) r order by 1, 2 loop
    perform staffetta.lock_rescan(route.target, route.entity);
    perform staffetta.look_again(route.target, route.entity);
    return query select * from staffetta.rescan_route(route.target, route.entity);
  end loop;
end $$;
comment on function staffetta.rescan(text, text) is 'Compare all desired states (of a target, of an entity) with all links and enqueue the differences';
revoke all on function staffetta.rescan(text, text) from public;

-- The rescan of a route, of which what is under way was seen to, if it is owed still: whoever waited for another that has
-- done it has nothing left to do.
create or replace function staffetta.rescan_owed(target text, entity text) returns setof staffetta.rescanned
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform staffetta.lock_rescan(rescan_owed.target, rescan_owed.entity);
  if exists (select from staffetta.route r where (r.target, r.entity) = (rescan_owed.target, rescan_owed.entity) and r.rescan > 0) then
    return query select * from staffetta.rescan_route(rescan_owed.target, rescan_owed.entity);
  end if;
end $$;
comment on function staffetta.rescan_owed(text, text) is 'The rescan of a route, of which what is under way was seen to, if it is owed still';
revoke all on function staffetta.rescan_owed(text, text) from public;

-- A rescan by several sessions side by side, each of which compares a part of the keys, because PostgreSQL does not divide
-- the work on views that gather lists in lateral subqueries. It is begun, each part is looked through, which enqueues
-- nothing, and what differs is compared once more, for good. Where there is more to it, rescan_route() does it alone.

-- Begins a rescan: sees to what is under way, and answers with the number of parts. One part: rescan_route() is to do it, for
-- a rescan is owed, the route has an error, there are too few links, or the server's settings want no parallel work
-- (`max_parallel_workers_per_gather`).
create or replace function staffetta.rescan_parts(target text, entity text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform staffetta.routes(rescan_parts.target, rescan_parts.entity);
  perform staffetta.look_again(rescan_parts.target, rescan_parts.entity);
  if current_setting('max_parallel_workers_per_gather')::int = 0
    or (select r.rescan > 0 or r.error is not null from staffetta.route r where (r.target, r.entity) = (rescan_parts.target, rescan_parts.entity))
    or not exists (select from staffetta.link l where l.target = rescan_parts.target and l.entity = rescan_parts.entity offset 20000) then
    return 1;
  end if;
  return 2;
end $$;
comment on function staffetta.rescan_parts(text, text) is 'Begins a rescan by several sessions; answers with the number of parts';
revoke all on function staffetta.rescan_parts(text, text) from public;

-- The keys of a part that are worth a delivery; null if they are too many to be told.
create or replace function staffetta.rescan_part(target text, entity text, part int, parts int, out compared bigint, out keys text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform staffetta.routes(rescan_part.target, rescan_part.entity);
  execute format(
    '%s, found as (select d.key from different d union select r.key from refused r limit 10001)
     select (select count(*) from compared), case when count(*) <= 10000 then coalesce(array_agg(f.key), ''{}'') end from found f',
    staffetta.difference(rescan_part.target, rescan_part.entity, false, part, parts))
    into compared, keys using null, null, null, false;
end $$;
comment on function staffetta.rescan_part(text, text, int, int) is 'The keys of a part of a route that differ';
revoke all on function staffetta.rescan_part(text, text, int, int) from public;

-- Ends one: compares the keys that the parts found, and enqueues those that differ.
create or replace function staffetta.rescan_keys(target text, entity text, keys text[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  done record;
begin
  perform staffetta.routes(rescan_keys.target, rescan_keys.entity);
  select * into done from staffetta.compare_route(rescan_keys.target, rescan_keys.entity, rescan_keys.keys, false);
  if done.enqueued > 0 then
    perform pg_notify('staffetta', 'due'), staffetta.tell_planner(done.enqueued);
  end if;
  return done.enqueued;
end $$;
comment on function staffetta.rescan_keys(text, text, text[]) is 'Compares keys of a route and enqueues those that differ';
revoke all on function staffetta.rescan_keys(text, text, text[]) from public;
