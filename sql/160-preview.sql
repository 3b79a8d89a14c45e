-- What a replay would do now, without doing it. It reads the desired state as the current transaction sees it, so
--   begin; update …; select * from staffetta.preview('person', '42'); rollback;
-- shows what a change would do everywhere before it is made.

-- A value in the form in which links store it (PROTOCOL D5): a secret as a keyed hash, more than 256 bytes as a hash.
create or replace function staffetta.stored_value(value jsonb, is_secret boolean) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case
    when is_secret then (select staffetta.hashed(i.secret, jsonb_build_array(value)) -> 0 from staffetta.installation i)
    when octet_length(b.bytes) > 256 then jsonb_build_object('hash', encode(sha256(b.bytes), 'hex'))
    else value end
  from (select case when jsonb_typeof(value) = 'object' then decode(value ->> 'base64', 'base64') else convert_to(value #>> '{}', 'UTF8') end as bytes) b $$;
comment on function staffetta.stored_value(jsonb, boolean) is 'A value in the form in which links store it';
revoke all on function staffetta.stored_value(jsonb, boolean) from public;

-- Values of a link as a person may see them: a hash says nothing.
create or replace function staffetta.shown_values(stored jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select jsonb_agg(case when jsonb_typeof(v.value) = 'object' and v.value ? 'hash' then '"********"' else v.value end order by v.position)
  from jsonb_array_elements(stored) with ordinality v(value, position) $$;
comment on function staffetta.shown_values(jsonb) is 'Values of a link as a person may see them';
revoke all on function staffetta.shown_values(jsonb) from public;

-- The attributes in which a desired state differs from what a link (null: there is none) says of the entry, as far as the
-- mapping's policies write them.
drop function if exists staffetta.attribute_changes(jsonb, jsonb, text[]);
create or replace function staffetta.attribute_changes(desired jsonb, linked jsonb, secrets text[], policies jsonb) returns table (attribute text, before jsonb, after jsonb)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select a.attribute, staffetta.shown_values(linked -> a.attribute), staffetta.masked(desired, secrets) -> a.attribute
  from (select jsonb_object_keys(desired) union select jsonb_object_keys(coalesce(linked, '{}'))) a(attribute)
  cross join lateral (
    select coalesce((select jsonb_agg(s.value order by s.value)
         from jsonb_array_elements(desired -> a.attribute) v(value)
         cross join lateral staffetta.stored_value(v.value, a.attribute = any(secrets)) s(value)), '[]') as wanted,
      coalesce((select jsonb_agg(s.value order by s.value)
         from jsonb_array_elements(linked -> a.attribute) v(value)
         cross join lateral (select case when v.value ? 'hash' then v.value else staffetta.stored_value(v.value, false) end) s(value)), '[]') as applied) c
  where case when linked is null then true else
    case policies ->> a.attribute when 'initial' then false when 'add' then not c.applied @> c.wanted else c.wanted <> c.applied end end
    and c.wanted <> c.applied
  order by a.attribute $$;
comment on function staffetta.attribute_changes(jsonb, jsonb, text[], jsonb) is 'The attributes in which a desired state differs from a link, secrets masked';
revoke all on function staffetta.attribute_changes(jsonb, jsonb, text[], jsonb) from public;

-- Whether the mapping of a route writes an attribute of an entry. Of one that is revived, also what disabling it wrote.
create or replace function staffetta.writes(route staffetta.route, link staffetta.link, attribute text) returns boolean
language sql immutable as $$ -- without SET, which would keep it from becoming part of the query
  select route.attributes is null or attribute = any (route.attributes) or link.state = 'disabled' and link.disable -> 'attributes' ? attribute $$;
comment on function staffetta.writes(staffetta.route, staffetta.link, text) is 'Whether the mapping of a route writes an attribute of an entry';
revoke all on function staffetta.writes(staffetta.route, staffetta.link, text) from public;

-- The references in which the holder's entry would change: the ids that stand there, the ids that would; of an entry that
-- there should not be without a member, none.
drop function if exists staffetta.reference_changes(text, text, text);
create or replace function staffetta.member_changes(target text, entity text, key text) returns table (attribute text, before jsonb, after jsonb, emptied boolean)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if to_regclass(format('staffetta.%I', 'desired_' || target || '_' || entity || '_refs')) is null then
    return;
  end if;
  return query execute format(
    'with policy as (
       select p.key collate "C" as attribute, p.value ->> ''entity'' as ref_entity, p.value ->> ''empty'' as empty, p.value ->> ''placeholder'' as placeholder, p.value ->> ''by'' = ''stable id'' as by_stable_id
       from staffetta.route r cross join lateral jsonb_each(r.refs) p where (r.target, r.entity) = ($1, $2)),
     wanted as (select x.attribute collate "C" as attribute, x.ref_key collate "C" as ref_key from staffetta.%I x where x.key = $3::%s),
     recorded as (select r.attribute, r.ref_key, r.applied from staffetta.reference r where (r.target, r.entity, r.key) = ($1, $2, $3)),
     member as (
       select coalesce(w.attribute, r.attribute) as attribute, r.applied, case when w.ref_key is not null then case when p.by_stable_id then l.stable_id else l.remote_id end end as id,
         case when w.ref_key is not null and case when p.by_stable_id then l.stable_id else l.remote_id end is null then format(''(no entry yet: %%s %%s)'', p.ref_entity, w.ref_key) end as missing
       from wanted w full join recorded r on r.attribute = w.attribute and r.ref_key = w.ref_key
       join policy p on p.attribute = coalesce(w.attribute, r.attribute)
       left join staffetta.link l on l.target = $1 and l.entity = p.ref_entity and l.key = coalesce(w.ref_key, r.ref_key)),
     side as (
       select p.attribute, p.empty,
         coalesce(jsonb_agg(m.applied order by m.applied) filter (where m.applied is not null),
           case when exists (select from staffetta.link l where (l.target, l.entity, l.key) = ($1, $2, $3)) then to_jsonb(array_remove(array[p.placeholder], null)) end) as before,
         coalesce(jsonb_agg(m.id order by m.id) filter (where m.id is not null),
           to_jsonb(array_remove(array[case p.empty when ''keep'' then coalesce(min(m.applied), p.placeholder) else p.placeholder end], null))) as after,
         coalesce(jsonb_agg(m.missing order by m.missing) filter (where m.missing is not null), ''[]'') as missing,
         p.empty = ''delete'' and count(m.id) = 0 as emptied
       from policy p left join member m on m.attribute = p.attribute group by p.attribute, p.empty, p.placeholder)
     select s.attribute, s.before, case when s.emptied then s.missing else s.after || s.missing end, s.emptied from side s
     where s.before is distinct from s.after or s.emptied order by s.attribute',
    'desired_' || target || '_' || entity || '_refs', (select t.type from staffetta.key_type(target, entity) t))
  using target, entity, key;
end $$;
comment on function staffetta.member_changes(text, text, text) is 'The references in which the holder''s entry would change';
revoke all on function staffetta.member_changes(text, text, text) from public;

-- What a replay would do to the entry of an identity that has left the view: its next step, or nothing before that is
-- due. Where that is more than a moment away, `after` says when.
create or replace function staffetta.preview_step(route staffetta.route, link staffetta.link, out operation text, out after jsonb)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case
      when link.key is null or n.step is null and link.state <> 'active' then 'nothing'
      when n.step is null then 'keep'
      when link.absent_since + n.after > now() then 'nothing'
      when n.step = 'delete' then 'remove' else n.step end,
    case when link.key is not null and (link.absent_since + n.after > now() or link.absent_since is null and n.after > interval '1 min')
      then jsonb_build_array(format('%s on %s', n.step, to_char((coalesce(link.absent_since, now()) + n.after) at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))) end
  from staffetta.next_step(case when link.spared then '[]' else route.deprovision end, link.state) n $$;
comment on function staffetta.preview_step(staffetta.route, staffetta.link) is 'What a replay would do to the entry of an identity that has left the view';
revoke all on function staffetta.preview_step(staffetta.route, staffetta.link) from public;

-- What a replay of this key would do on one target.
create or replace function staffetta.preview_route(target text, entity text, key text)
returns table (operation text, remote_id text, attribute text, before jsonb, after jsonb)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  desired record;
  secrets text[];
  link staffetta.link;
  route staffetta.route;
  emptied text[];
  found_changes boolean;
begin
  select r.* into route from staffetta.route r where (r.target, r.entity) = (preview_route.target, preview_route.entity);
  select l.* into link from staffetta.link l where (l.target, l.entity, l.key) = (preview_route.target, preview_route.entity, preview_route.key);
  execute format('select count(*) over () as same_key, x.* from staffetta.%I x where x.key = $1::%s', 'desired_' || target || '_' || entity, (select t.type from staffetta.key_type(target, entity) t))
    into desired using key;

  if desired.same_key is null then
    return query select s.operation, link.remote_id, null::text, null::jsonb, s.after from staffetta.preview_step(route, link) s;
    return;
  end if;
  if desired.same_key > 1 then
    return query select 'park', link.remote_id, null::text, null::jsonb, '["more than one row of the view has this key"]'::jsonb;
    return;
  end if;
  if desired.released then
    return query select case when link.key is null then 'nothing' else 'release' end, link.remote_id, null::text, null::jsonb, null::jsonb;
    return;
  end if;
  if desired.remote_id is null then
    return query select 'park', link.remote_id, null::text, null::jsonb, '["a column of its remote id is empty"]'::jsonb;
    return;
  end if;

  execute format('select staffetta.%I()', 'desired_' || target || '_' || entity || '_secrets') into secrets;
  select array_agg(c.attribute) into emptied from staffetta.member_changes(preview_route.target, preview_route.entity, preview_route.key) c where c.emptied;
  if emptied is not null then
    return query select case when link.key is null then 'nothing' else 'remove' end, coalesce(link.remote_id, desired.remote_id), null::text, null::jsonb,
      jsonb_build_array(format('no %s has an entry', array_to_string(emptied, ', ')));
    return;
  end if;
  if link.key is null then
    return query select 'create', desired.remote_id, null::text, null::jsonb, null::jsonb;
  elsif link.remote_id <> desired.remote_id then
    return query select 'rename', link.remote_id, null::text, jsonb_build_array(link.remote_id), jsonb_build_array(desired.remote_id);
  end if;
  return query
    select case when link.key is null then 'create' else 'update' end, desired.remote_id, c.attribute, c.before, c.after
    from (select a.* from staffetta.attribute_changes(desired.attributes, link.attributes, secrets, route.policies) a
          where staffetta.writes(route, link, a.attribute)
          union all select r.attribute, r.before, r.after from staffetta.member_changes(preview_route.target, preview_route.entity, preview_route.key) r) c;
  found_changes := found;
  if not found_changes and link.remote_id = desired.remote_id then
    return query select 'nothing', desired.remote_id, null::text, null::jsonb, null::jsonb;
  end if;
exception
  when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
    return query select 'park', link.remote_id, null::text, null::jsonb, jsonb_build_array(sqlerrm);
  when syntax_error_or_access_rule_violation or invalid_schema_name then
    return query select 'wait', link.remote_id, null::text, null::jsonb, jsonb_build_array(sqlerrm);
end $$;
comment on function staffetta.preview_route(text, text, text) is 'What a replay of this key would do on one target';
revoke all on function staffetta.preview_route(text, text, text) from public;

-- What a replay of this key would do on every target, as the current transaction sees the data. One row per attribute
-- that would change; `before` and `after` are arrays of values, secrets masked. Operations: create, rename, update,
-- remove, disable, keep (how the mapping deprovisions), release, nothing; park and wait where it could not be done, with
-- the reason in `after`. Of a step of deprovisioning that is not due yet, `after` says when it is.
create or replace function staffetta.preview(entity text, key text)
returns table (target text, operation text, remote_id text, attribute text, before jsonb, after jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
  canonical text[];
begin
  if preview.entity is null then
    raise exception 'Which entity? Write, for example: select * from staffetta.preview(''person'', ''42'').' using errcode = 'ST001';
  end if;
  for route in select r.target, r.entity from staffetta.routes(null, preview.entity) r order by 1 loop
    canonical := staffetta.canonical_keys(route.target, route.entity, array[preview.key]);
    return query select route.target::text, p.* from staffetta.preview_route(route.target, route.entity, canonical[1]) p;
  end loop;
end $$;
comment on function staffetta.preview(text, text) is 'What a replay of this key would do on every target, as the current transaction sees the data';
revoke all on function staffetta.preview(text, text) from public;
