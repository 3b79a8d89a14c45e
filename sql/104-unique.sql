-- Unique values: who has them, and how they compare.

-- The form in which a value, as links store it, is compared: case and spaces do not count, unless it has more than 256
-- bytes, of which a link stores the hash only. Worked out here alone, so that it is the same for the daemon and for `apply`.
create or replace function staffetta.folded(value jsonb) returns text stable parallel safe
return case
  when jsonb_typeof(value) <> 'string' then coalesce('#' || (value ->> 'hash'), ':' || (value ->> 'base64'))
  when octet_length(value #>> '{}') > 256 then '#' || encode(sha256(convert_to(value #>> '{}', 'UTF8')), 'hex')
  else lower(btrim(regexp_replace(value #>> '{}', '\s+', ' ', 'g'))) end;
comment on function staffetta.folded(jsonb) is 'The form in which a value of a unique attribute is compared';
revoke all on function staffetta.folded(jsonb) from public;

-- What is reserved on a target: remote ids (attribute '') and values of unique attributes.
create or replace view staffetta.reserved as
select target, ''::text collate "C" as attribute, normalised, entity, key from staffetta.remote_id
union all
select target, attribute, normalised, entity, key from staffetta.remote_value;
comment on view staffetta.reserved is 'Remote ids and unique values, and whose they are';
comment on column staffetta.reserved.attribute is 'the unique attribute; empty: it is a remote id';

-- Reserves the unique values that links of a route (keys null: all) say are there, for whoever was written first. Whoever
-- shares one with another is enqueued: its replay says so.
create or replace function staffetta.reserve_linked(target text, entity text, keys text[] default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
  uniques text[];
  sharing text[];
begin
  select r.uniques into uniques from staffetta.route r where (r.target, r.entity) = (target, entity);
  if cardinality(uniques) = 0 then
    return;
  end if;
  with applied as materialized (
    select l.key, u.attribute, staffetta.folded(v.value) as normalised, l.at
    from staffetta.link l cross join unnest(uniques) u(attribute) cross join lateral jsonb_array_elements(l.attributes -> u.attribute) v
    where (l.target, l.entity) = (target, entity) and (keys is null or l.key = any (keys))),
  won as (
    insert into staffetta.remote_value (target, attribute, normalised, entity, key)
    select distinct on (a.attribute collate "C", a.normalised collate "C") target, a.attribute, a.normalised, entity, a.key from applied a
    order by a.attribute collate "C", a.normalised collate "C", a.at, a.key
    on conflict do nothing returning *)
  select array_agg(distinct a.key) into sharing
  from applied a left join won w using (attribute, normalised)
  left join staffetta.remote_value r on (r.target, r.attribute, r.normalised) = (target, a.attribute, a.normalised)
  where (coalesce(w.entity, r.entity), coalesce(w.key, r.key)) is distinct from (entity, a.key);
  execute staffetta.enqueue_statement(format(
    'select %L::text as target, %L::text as entity, k as key, 1::smallint as priority from unnest($3) k', target, entity), false)
    using 'a value of it is to be unique', staffetta.actor(), sharing;
end $$;
comment on function staffetta.reserve_linked(text, text, text[]) is 'Reserves the unique values that links of a route (keys null: all) say are there';
revoke all on function staffetta.reserve_linked(text, text, text[]) from public;

-- Gives up values of attributes that are no longer unique; whoever waits for one, or is parked for want of it, is due.
create or replace function staffetta.unreserve_undeclared() returns void
language sql set search_path = pg_catalog, pg_temp as $$
  delete from staffetta.remote_value v where not exists (
    select from staffetta.route r where (r.target, r.entity) = (v.target, v.entity) and v.attribute = any (r.uniques));
  with waiting as materialized (  -- PROTOCOL B9
    select d.target, d.entity, d.key from staffetta.delivery d
    where d.wait_attribute <> '' and d.state in ('waiting', 'parked')
      and not exists (select from staffetta.reserved r where (r.target, r.attribute, r.normalised) = (d.target, d.wait_attribute, d.wait_id))
    order by d.target, d.entity, d.key for update)
  update staffetta.delivery d set state = 'pending', due_at = clock_timestamp(), rev = d.rev + 1 from waiting w
  where (d.target, d.entity, d.key) = (w.target, w.entity, w.key) $$;
comment on function staffetta.unreserve_undeclared() is 'Gives up values of attributes that are no longer unique';
revoke all on function staffetta.unreserve_undeclared() from public;
