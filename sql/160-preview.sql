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

-- The attributes in which a desired state differs from what a link (null: there is none) says of the entry.
create or replace function staffetta.attribute_changes(desired jsonb, linked jsonb, secrets text[]) returns table (attribute text, before jsonb, after jsonb)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select a.attribute, staffetta.shown_values(linked -> a.attribute), staffetta.masked(desired, secrets) -> a.attribute
  from (select jsonb_object_keys(desired) union select jsonb_object_keys(coalesce(linked, '{}'))) a(attribute)
  where (select jsonb_agg(s.value order by s.value)
         from jsonb_array_elements(desired -> a.attribute) v(value)
         cross join lateral staffetta.stored_value(v.value, a.attribute = any(secrets)) s(value))
    is distinct from (select jsonb_agg(v.value order by v.value) from jsonb_array_elements(linked -> a.attribute) v(value))
  order by a.attribute $$;
comment on function staffetta.attribute_changes(jsonb, jsonb, text[]) is 'The attributes in which a desired state differs from a link, secrets masked';
revoke all on function staffetta.attribute_changes(jsonb, jsonb, text[]) from public;

-- The references in which the holder's entry would change: the ids that stand there, the ids that would.
create or replace function staffetta.reference_changes(target text, entity text, key text) returns table (attribute text, before jsonb, after jsonb)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if to_regclass(format('staffetta.%I', 'desired_' || target || '_' || entity || '_refs')) is null then
    return;
  end if;
  return query execute format(
    'with wanted as (select x.attribute collate "C" as attribute, x.ref_key collate "C" as ref_key from staffetta.%I x where x.key = $3::%s),
     recorded as (select r.attribute, r.ref_entity, r.ref_key, r.applied from staffetta.reference r where (r.target, r.entity, r.key) = ($1, $2, $3)),
     known as (
       select a.attribute, (select r.ref_entity from staffetta.reference r where r.target = $1 and r.entity = $2 and r.attribute = a.attribute limit 1) as ref_entity
       from (select attribute from wanted union select attribute from recorded) a),
     member as (
       select coalesce(w.attribute, r.attribute) as attribute, r.applied, k.ref_entity is null as unknown,
         case when w.ref_key is not null then coalesce(l.remote_id, format(''(no entry yet: %%s%%s)'', k.ref_entity || '' '', w.ref_key)) end as shown,
         case when w.ref_key is not null then l.remote_id end as id
       from wanted w full join recorded r on r.attribute = w.attribute and r.ref_key = w.ref_key
       left join known k on k.attribute = coalesce(w.attribute, r.attribute)
       left join staffetta.link l on l.target = $1 and l.entity = k.ref_entity and l.key = coalesce(w.ref_key, r.ref_key))
     select m.attribute::text, jsonb_agg(m.applied order by m.applied) filter (where m.applied is not null),
       jsonb_agg(m.shown order by m.shown) filter (where m.shown is not null)
     from member m group by m.attribute having bool_or(m.applied is distinct from m.id or m.unknown) order by m.attribute',
    'desired_' || target || '_' || entity || '_refs', (select t.type from staffetta.key_type(target, entity) t))
  using target, entity, key;
end $$;
comment on function staffetta.reference_changes(text, text, text) is 'The references in which the holder''s entry would change';
revoke all on function staffetta.reference_changes(text, text, text) from public;

-- What a replay of this key would do on one target.
create or replace function staffetta.preview_route(target text, entity text, key text)
returns table (operation text, remote_id text, attribute text, before jsonb, after jsonb)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  desired record;
  secrets text[];
  link staffetta.link;
  found_changes boolean;
begin
  select l.* into link from staffetta.link l where (l.target, l.entity, l.key) = (preview_route.target, preview_route.entity, preview_route.key);
  execute format('select count(*) over () as same_key, x.* from staffetta.%I x where x.key = $1::%s', 'desired_' || target || '_' || entity, (select t.type from staffetta.key_type(target, entity) t))
    into desired using key;

  if desired.same_key is null then
    return query
      select case when link.key is null or link.state <> 'active' then 'nothing'
                  else (select case r.deprovision when 'delete' then 'remove' else r.deprovision end
                        from staffetta.route r where (r.target, r.entity) = (preview_route.target, preview_route.entity)) end,
        link.remote_id, null::text, null::jsonb, null::jsonb;
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
  if link.key is null then
    return query select 'create', desired.remote_id, null::text, null::jsonb, null::jsonb;
  elsif link.remote_id <> desired.remote_id then
    return query select 'rename', link.remote_id, null::text, jsonb_build_array(link.remote_id), jsonb_build_array(desired.remote_id);
  end if;
  return query
    select case when link.key is null then 'create' else 'update' end, desired.remote_id, c.attribute, c.before, c.after
    from (select * from staffetta.attribute_changes(desired.attributes, link.attributes, secrets)
          union all select * from staffetta.reference_changes(preview_route.target, preview_route.entity, preview_route.key)) c;
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
-- the reason in `after`.
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
