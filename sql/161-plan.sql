-- What a configuration would do on a target, before it is applied: `staffetta apply --plan` installs it in a transaction,
-- asks here, and rolls everything back. Set-based, like the rescan; members, secrets and policies are looked at as the
-- preview of one key does.

do $$
begin
  if to_regtype('staffetta.planned') is null then
    create type staffetta.planned as (key text, operation text, attributes text[], clears boolean, count bigint);
    comment on type staffetta.planned is 'What a replay of a key would do; without a key, for how many it would do nothing';
  end if;
end $$;

-- The values of an attribute in the form in which links store them; only of those that may have another is it worked out.
create or replace function staffetta.stored_values(wanted jsonb, secret bytea) returns jsonb
language sql stable as $$ -- without SET, which would keep it from becoming part of the query
  select case when secret is not null then staffetta.hashed(secret, wanted)
    when octet_length(wanted::text) > 256 then (select jsonb_agg(staffetta.stored_value(v.value, false) order by v.n) from jsonb_array_elements(wanted) with ordinality v(value, n))
    else wanted end $$;
comment on function staffetta.stored_values(jsonb, bytea) is 'The values of an attribute in the form in which links store them; secret ones hashed with this key';
revoke all on function staffetta.stored_values(jsonb, bytea) from public;

-- Whether an attribute would be written, of an entry that is there. `wanted` is in the form in which links store values.
create or replace function staffetta.attribute_differs(wanted jsonb, applied jsonb, policy text) returns boolean
language sql immutable as $$ -- without SET, which would keep it from becoming part of the query
  select case
    when wanted is not distinct from applied or policy = 'initial' then false
    when wanted is null then policy is distinct from 'add'
    when applied is null then true
    else not (applied @> wanted and (policy is not distinct from 'add' or wanted @> applied)) end $$;
comment on function staffetta.attribute_differs(jsonb, jsonb, text) is 'Whether an attribute would be written';
revoke all on function staffetta.attribute_differs(jsonb, jsonb, text) from public;

-- What replays of the keys of a route (null: all) would do. Rows that cannot be read are told apart from the others by
-- halving (PROTOCOL B12).
create or replace function staffetta.plan_keys(target text, entity text, keys text[]) returns setof staffetta.planned
language plpgsql as $$
#variable_conflict use_column
declare
  view constant text := 'desired_' || plan_keys.target || '_' || plan_keys.entity;
  route staffetta.route;
  type text;
  canonical text;
  secrets text[];
  found staffetta.planned[];
  piece text[];
begin
  select r.* into strict route from staffetta.route r where (r.target, r.entity) = (plan_keys.target, plan_keys.entity);
  select k.type, k.canonical into type, canonical from staffetta.key_type(plan_keys.target, plan_keys.entity) k;
  execute format('select staffetta.%I()', view || '_secrets') into secrets;
  begin
    execute format(
      'with %1$s,
       here as (select %2$s collate "C" as key, d.released, d.remote_id, d.attributes from %3$s),
       joined as (select m.key, array_agg(distinct m.attribute) as attributes from member m group by m.key),
       item as (
         select c.key, w.key is not null as present, w.released, w.remote_id, w.attributes, l as link, j.attributes as members, (%4$s) is true as emptied,
           count(*) over (partition by c.key) as same
         from compared c left join here w on w.key = c.key left join joined j on j.key = c.key
         left join staffetta.link l on (l.target, l.entity) = ($4, $5) and l.key = c.key
         where c.differs),
       changed as (
         select i.*, a.attributes || case when (i.link).key is not null then coalesce(i.members, ''{}'') else ''{}'' end as changes, a.clears
         from item i cross join lateral (
           select coalesce(array_agg(x.name order by x.name), ''{}'') as attributes, coalesce(bool_or(x.after is null and jsonb_array_length(x.before) > 0), false) as clears
           from (
             select n.name, staffetta.stored_values(i.attributes -> n.name, case when n.name = any ($6) then $9 end) as after, (i.link).attributes -> n.name as before
             from jsonb_object_keys((i.link).attributes || i.attributes) n(name)
             where i.present and not i.released and (i.link).key is not null and (i.attributes -> n.name) is distinct from ((i.link).attributes -> n.name)
               and staffetta.writes($8, i.link, n.name) offset 0) x
           where staffetta.attribute_differs(x.after, x.before, $7 ->> x.name)) a),
       told as (
         select distinct on (c.key) row(c.key,
           case
             when c.same > 1 then ''park''
             when not c.present then case when s.after is not null then ''later'' else s.operation end
             when c.released then ''release''
             when c.remote_id is null then ''park''
             when c.emptied then ''remove''
             when (c.link).key is null then ''create''
             when (c.link).remote_id <> c.remote_id then ''rename''
             when c.changes <> ''{}'' or (c.link).state <> ''active'' then ''update''
             else ''note'' end,
           c.changes, c.clears, 1)::staffetta.planned as planned
         from changed c left join lateral staffetta.preview_step($8, c.link) s on not c.present)
       select (select array_agg(t.planned) from told t) || row(null, ''nothing'', null, false, count(*) filter (where not c.differs))::staffetta.planned from compared c',
      staffetta.comparison(plan_keys.target, plan_keys.entity, keys is not null), format(canonical, 'd.key'),
      case when keys is null then format('staffetta.%I d', view)
        else format('unnest($3) given cross join lateral (select * from staffetta.%I x where x.key = given::%s offset 0) d', view, type) end,
      staffetta.emptied(route))
    into found using null::text, null::text, keys, plan_keys.target, plan_keys.entity, coalesce(secrets, '{}'), route.policies, route,
      (select i.secret from staffetta.installation i);
    return query select f.* from unnest(found) f;
    return;
  exception when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
    null;
  end;
  if cardinality(keys) = 1 then
    return query select keys[1], 'park', null::text[], false, 1::bigint;
    return;
  end if;
  for piece in execute format(
    'select array_agg(p.key) from (
       select k.key, (row_number() over (order by k.key) - 1) / $2 as piece from (%s) k) p group by p.piece order by p.piece',
    case when keys is null then format(
      'select %s collate "C" as key from staffetta.%I d union select l.key from staffetta.link l where l.target = %L and l.entity = %L',
      format(canonical, 'd.key'), view, plan_keys.target, plan_keys.entity) else 'select unnest($1) as key' end)
    using keys, case when keys is null then 1000 else ceil(cardinality(keys) / 2.0)::int end
  loop
    return query select f.* from staffetta.plan_keys(plan_keys.target, plan_keys.entity, piece) f;
  end loop;
end $$;
comment on function staffetta.plan_keys(text, text, text[]) is 'What replays of the keys of a route (null: all) would do';
revoke all on function staffetta.plan_keys(text, text, text[]) from public;

-- Whether the guard would hold so many removals, or changes that clear values, of a route; null: no.
create or replace function staffetta.plan_guard(target text, entity text, kind text, wave bigint) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('the guard would hold them: %s of %s links, and it lets through %s', wave, n.links, n.allowed)
  from (
    select t.*, case kind when 'removal' then t.guard_removals else t.guard_changes end as share from staffetta.target t
    where t.target = plan_guard.target and t.mode = 'live') t
  cross join lateral (
    select count(*) as links from staffetta.link l where (l.target, l.entity) = (plan_guard.target, plan_guard.entity)) l
  cross join lateral (
    select coalesce(sum(s.count), 0) as spent from staffetta.guard_spent s
    where (s.target, s.entity, s.kind) = (plan_guard.target, plan_guard.entity, plan_guard.kind) and s.at >= clock_timestamp() - t.guard_window) s
  cross join lateral (
    select l.links, greatest(greatest(t.guard_floor, floor(t.share * (l.links + case kind when 'removal' then s.spent else 0 end))) - s.spent, 0) as allowed) n
  where wave > 0 and t.share < 1 and wave > n.allowed $$;
comment on function staffetta.plan_guard(text, text, text, bigint) is 'Whether the guard would hold so many removals or clearing changes';
revoke all on function staffetta.plan_guard(text, text, text, bigint) from public;

-- What the desired state of a route, as this transaction sees it, would have done on its target: numbers by operation and
-- by attribute, five samples of each operation, secrets masked, and what the guard would say. Operations: create, update,
-- rename, remove, disable, keep, release; later (a step of deprovisioning that is not due yet), note (nothing is written,
-- the link is brought up to date), park (it would fail), nothing. Runs under the settings of a session of the daemon.
create or replace function staffetta.plan_route(target text, entity text, out error text, out operations jsonb, out attributes jsonb, out samples jsonb, out guard text[])
language plpgsql as $$
#variable_conflict use_column
declare
  planned staffetta.planned[];
  removals bigint;
  clearings bigint;
begin
  begin
    select array_agg(p) into planned from staffetta.plan_keys(plan_route.target, plan_route.entity, null) p;
  exception when syntax_error_or_access_rule_violation or invalid_schema_name then
    error := sqlerrm;
    return;
  end;
  select coalesce(jsonb_object_agg(o.operation, o.count), '{}') into operations
  from (select p.operation, sum(p.count) as count from unnest(planned) p group by 1) o where o.count > 0;
  select coalesce(jsonb_object_agg(o.attribute, o.count), '{}') into attributes
  from (
    select a.attribute, count(*) as count from unnest(planned) p cross join lateral unnest(p.attributes) a(attribute)
    where p.operation in ('update', 'rename') group by 1) o;
  select coalesce(jsonb_agg(jsonb_build_object('operation', s.operation, 'key', s.key, 'remote_id', c.remote_id, 'changes', c.changes) order by s.operation, s.n), '[]')
  into samples
  from (
    select p.operation, p.key, row_number() over (partition by p.operation order by length(p.key), p.key) as n from unnest(planned) p
    where p.key is not null and p.operation not in ('nothing', 'note')) s
  cross join lateral (
    select min(v.remote_id) as remote_id,
      coalesce(jsonb_agg(jsonb_build_object('attribute', v.attribute, 'before', v.before, 'after', v.after)) filter (where v.before is not null or v.after is not null), '[]') as changes
    from staffetta.preview_route(plan_route.target, plan_route.entity, s.key) v) c
  where s.n <= 5;
  select count(*) filter (where p.operation in ('remove', 'disable')), count(*) filter (where p.clears and p.operation in ('update', 'rename'))
  into removals, clearings from unnest(planned) p;
  guard := array_remove(array[
    'removals: ' || staffetta.plan_guard(plan_route.target, plan_route.entity, 'removal', removals),
    'changes that clear values: ' || staffetta.plan_guard(plan_route.target, plan_route.entity, 'clearing', clearings)], null);
end $$;
comment on function staffetta.plan_route(text, text) is 'What the desired state of a route would have done on its target';
revoke all on function staffetta.plan_route(text, text) from public;
