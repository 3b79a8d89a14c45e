-- Compare all desired states with all links and enqueue the differences: what events missed, what time or a new mapping
-- changed. Everything happens in SQL, one set-based statement per route, so a million identities need no more memory
-- than one. What is compared:
--   in the view and meets "only"   no link, a link that is not active, or another fingerprint
--   in the view, not in "only"     a link (to be released)
--   not in the view                an active link (to be deprovisioned; kept and disabled ones have been)
--   members of what is in the view a wanted member that is not recorded, a recorded one that is not wanted, and one whose
--                                  id in the entry is not the id of the member's link

-- The comparison of one route, as a query (key, differs). `keys` null: all; else only those (canonical text), looked up
-- one by one in the view's own type (PROTOCOL B3). As $3 it takes the keys.
create or replace function staffetta.comparison(target text, entity text, listed boolean) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  type text;
  canonical text;
  view text := 'desired_' || target || '_' || entity;
  rows text;
  members text;
  parts text;
begin
  select * into type, canonical from staffetta.key_type(target, entity);
  rows := case when listed
    then format('unnest($3) given cross join lateral (select * from staffetta.%I x where x.key = given::%s offset 0) d', view, type)
    else format('staffetta.%I d', view) end;
  parts := format(
    'wanted as materialized (select %1$s collate "C" as key, d.released, d.fingerprint from %2$s),
     linked as (select l.key, l.state, l.fingerprint from staffetta.link l where l.target = %3$L and l.entity = %4$L %5$s),
     entry as (
       select coalesce(w.key, l.key) as key,
         case when w.key is null then case %6$L when ''keep'' then l.state = ''active'' when ''disable'' then l.state <> ''disabled'' else true end
              when w.released then l.key is not null
              else l.key is null or l.state <> ''active'' or l.fingerprint is distinct from w.fingerprint end as differs,
         w.fingerprint
       from wanted w full join linked l on l.key = w.key)',
    format(canonical, 'd.key'), rows, target, entity, case when listed then 'and l.key = any($3)' end,
    (select r.deprovision from staffetta.route r where (r.target, r.entity) = (comparison.target, comparison.entity)));

  if to_regclass(format('staffetta.%I', view || '_refs')) is not null then
    members := case when listed
      then format('unnest($3) given cross join lateral (select * from staffetta.%I x where x.key = given::%s offset 0) d', view || '_refs', type)
      else format('staffetta.%I d', view || '_refs') end;
    parts := parts || format(',
     member as (
       select coalesce(w.key, r.key) as key
       from (select %1$s collate "C" as key, d.attribute collate "C" as attribute, d.ref_key collate "C" as ref_key from %2$s) w
       full join (
         select r.key, r.attribute, r.ref_key, r.applied is distinct from l.remote_id as moved
         from staffetta.reference r left join staffetta.link l on (l.target, l.entity, l.key) = (r.target, r.ref_entity, r.ref_key)
         where r.target = %3$L and r.entity = %4$L %5$s) r
       on r.key = w.key and r.attribute = w.attribute and r.ref_key = w.ref_key
       where w.key is null or r.key is null or r.moved),
     holder as (select distinct m.key from member m join wanted w on w.key = m.key and not w.released)',
      format(canonical, 'd.key'), members, target, entity, case when listed then 'and r.key = any($3)' end);
  else
    parts := parts || ', holder as (select null::text as key where false)';
  end if;

  return parts || ',
     compared as materialized (
       select e.key, bool_or(e.differs or h.key is not null) as differs, min(e.fingerprint) as fingerprint from entry e left join holder h on h.key = e.key group by e.key)';
end $$;
comment on function staffetta.comparison(text, text, boolean) is 'The common table expressions that compare the desired state of a route with its links';
revoke all on function staffetta.comparison(text, text, boolean) from public;

-- The condition, as SQL, that a difference is worth a delivery: not if it is parked with this very desired state.
create or replace function staffetta.worth_a_try(target text, entity text, key text, fingerprint text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format('($4 or not exists (select from staffetta.delivery p
    where (p.target, p.entity, p.key) = (%L, %L, %s) and p.state = ''parked'' and p.parked_for is not distinct from %s))',
    target, entity, key, fingerprint) $$;
comment on function staffetta.worth_a_try(text, text, text, text) is 'The condition that a difference is worth a delivery';
revoke all on function staffetta.worth_a_try(text, text, text, text) from public;

-- Compares the keys of a route (null: all) and enqueues those that differ. What is parked is tried again only if its
-- desired state is another than the one that was parked, or if a rescan is owed: the mapping itself changed. Runs under
-- the settings of rescan().
create or replace function staffetta.compare_route(target text, entity text, keys text[], owed boolean, out compared bigint, out enqueued bigint)
language plpgsql as $$
declare
  statement text;
begin
  statement := format('with %s, enqueued as (%s returning 1) select (select count(*) from compared), (select count(*) from enqueued)',
    staffetta.comparison(target, entity, keys is not null),
    staffetta.enqueue_statement(format(
      'select %L::text as target, %L::text as entity, c.key, (count(*) over () > %s)::int::smallint as priority from compared c where c.differs and %s',
      target, entity, staffetta.parameter_number('BULK_ROWS'), staffetta.worth_a_try(target, entity, 'c.key', 'c.fingerprint')), false));
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
         select %s collate "C" as key from staffetta.%I d
         union select l.key from staffetta.link l where l.target = %L and l.entity = %L) k) p
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

-- Compare all desired states (of a target, of an entity) with all links and enqueue the differences. A route whose view
-- is missing or unreadable says so in its row and in `status`, and still owes its rescan; the others go on.
create or replace function staffetta.rescan(target text default null, entity text default null) returns setof staffetta.rescanned
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
  owed bigint;
  done record;
  failure text;
begin
  for route in select r.target, r.entity from staffetta.routes(rescan.target, rescan.entity) r order by 1, 2 loop
    -- One rescan of a route at a time: two that read the same debt would lower it twice.
    perform pg_advisory_xact_lock(7272002, hashtext(route.target || ' ' || route.entity));
    select r.rescan into owed from staffetta.route r where r.target = route.target and r.entity = route.entity;
    failure := null;
    begin
      begin
        select * into done from staffetta.compare_route(route.target, route.entity, null, owed > 0);
      exception when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
        select * into done from staffetta.compare_route_piecewise(route.target, route.entity, owed > 0);
      end;
    exception when syntax_error_or_access_rule_violation or invalid_schema_name  -- classes 42 and 3F: the view is missing
      or data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
      failure := sqlerrm;
    end;

    if failure is not null then
      update staffetta.route r set error = failure, error_at = clock_timestamp() where r.target = route.target and r.entity = route.entity;
      return query select route.target::text, route.entity::text, 0::bigint, 0::bigint, failure;
    else
      -- PROTOCOL A11: what was owed when the comparison began; what was added since is still owed
      update staffetta.route r set rescan = greatest(r.rescan - owed, 0), error = null, error_at = null, retry_at = null, failures = 0
      where r.target = route.target and r.entity = route.entity and (owed > 0 or r.error is not null);
      if done.enqueued > 0 then
        perform pg_notify('staffetta', 'due');
      end if;
      return query select route.target::text, route.entity::text, done.compared, done.enqueued, null::text;
    end if;
  end loop;
end $$;
comment on function staffetta.rescan(text, text) is 'Compare all desired states (of a target, of an entity) with all links and enqueue the differences';
revoke all on function staffetta.rescan(text, text) from public;
