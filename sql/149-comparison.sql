-- What differs between the desired states of a route and its links, as a query for the rescan.
-- What is compared:
--   in the view and meets "only"   no link, a link that is not active, or another fingerprint; without a member of those
--                                  that its entry needs (`empty: delete`), a link
--   in the view, not in "only"     a link (to be released)
--   not in the view                a link whose next step of deprovisioning is due, or that is to be kept and does not say so
--   members of what is in the view a wanted member that is not recorded, a recorded one that is not wanted, and one whose
--                                  id in the entry is not the id of the member's link, unless it stays until there is
--                                  another (`empty: keep`)

-- Attributes in which an entry needs a member, or it is not there (`empty: delete`): the query of the keys that have one
-- which has an entry itself, and the condition, as SQL, that a wanted key lacks one. `members`: where they are read from.
create or replace function staffetta.filled_keys(route staffetta.route, members text, canonical text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(
    (select string_agg(format(
       'select %s collate "C" as key, %L as attribute from %s join staffetta.link l on (l.target, l.entity) = (%L, %L) and l.key = d.ref_key collate "C" where d.attribute = %2$L',
       format(canonical, 'd.key'), a.key, members, route.target, a.value ->> 'entity'), ' union ')
     from jsonb_each(route.refs) a where a.value ->> 'empty' = 'delete' and members is not null),
    'select null::text as key, null::text as attribute where false') $$;
revoke all on function staffetta.filled_keys(staffetta.route, text, text) from public;

create or replace function staffetta.emptied(route staffetta.route) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(
    (select string_agg(format('w.key not in (select f.key from filled f where f.attribute = %L)', a.key), ' or ')
     from jsonb_each(route.refs) a where a.value ->> 'empty' = 'delete'),
    'false') $$;
revoke all on function staffetta.emptied(staffetta.route) from public;

-- The condition, as SQL, that a key belongs to one of several parts; null where there is one only. It says of which parts
-- the key is not: PostgreSQL would take an equality for a few rows, and plan for these.
create or replace function staffetta.is_of_part(key text, part int, parts int) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case when parts > 1 then format('abs(mod(hashtext(%s), %s)) <> all (%L::int[])', key, parts,
    array(select other from generate_series(0, parts - 1) other where other <> part)) end $$;
comment on function staffetta.is_of_part(text, int, int) is 'The condition that a key belongs to one of several parts';
revoke all on function staffetta.is_of_part(text, int, int) from public;

-- The comparison of one route, as a query (key, differs). `keys` null: all; else only those (canonical text), looked up
-- one by one in the view's own type (PROTOCOL B3). As $3 it takes the keys. `part` of `parts`: only the keys of that part.
drop function if exists staffetta.comparison(text, text, boolean);
create or replace function staffetta.comparison(target text, entity text, listed boolean, part int default 0, parts int default 1) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  type text;
  canonical text;
  view text := 'desired_' || target || '_' || entity;
  rows text;
  members text;
  statement text;
  route staffetta.route;
  absent text[];
  -- The condition that a key, wanted or recorded, is to be compared.
  wanted_here text;
  recorded_here text;
begin
  select * into strict route from staffetta.route r where (r.target, r.entity) = (comparison.target, comparison.entity);
  -- Of a link whose key is absent: whether there is something to do, in its state.
  select array_agg(case
    when n.step is not null then format('coalesce(l.absent_since + %L::interval <= now(), true)', n.after)
    when s.state = 'active' then 'l.state = ''active'''
    else 'false' end order by s.state)
  into absent from (values ('active'), ('disabled')) s(state) cross join lateral staffetta.next_step(route.deprovision, s.state) n;
  select * into type, canonical from staffetta.key_type(target, entity);
  wanted_here := coalesce('where ' || staffetta.is_of_part(format(canonical, 'd.key'), part, parts), '');
  recorded_here := case when listed then ' and %1$I.key = any($3)' else coalesce(' and ' || staffetta.is_of_part('%1$I.key', part, parts), '') end;
  rows := case when listed
    then format('unnest($3) given cross join lateral (select * from staffetta.%I x where x.key = given::%s offset 0) d', view, type)
    else format('staffetta.%I d', view) end;
  if to_regclass(format('staffetta.%I', view || '_refs')) is not null then
    members := case when listed
      then format('unnest($3) given cross join lateral (select * from staffetta.%I x where x.key = given::%s offset 0) d', view || '_refs', type)
      else format('staffetta.%I d', view || '_refs') end;
  end if;
  statement := format(
    'wanted as materialized (select %1$s collate "C" as key, d.released, d.fingerprint from %2$s %10$s),
     linked as (select l.key, l.state, l.fingerprint, l.absent_since, l.spared from staffetta.link l where l.target = %3$L and l.entity = %4$L %5$s),
     filled as (%8$s),
     entry as (
       select coalesce(w.key, l.key) as key,
         case when w.key is null then not l.spared and case l.state when ''disabled'' then %7$s else %6$s end
              when w.released then l.key is not null
              when %9$s then l.key is not null
              else l.key is null or l.state <> ''active'' or l.fingerprint is distinct from w.fingerprint end as differs,
         w.fingerprint
       from wanted w full join linked l on l.key = w.key)',
    format(canonical, 'd.key'), rows, target, entity, format(recorded_here, 'l'), absent[1], absent[2],
    staffetta.filled_keys(route, members, canonical), staffetta.emptied(route), wanted_here);

  if members is not null then
    statement := statement || format(',
     member as (
       select coalesce(w.key, r.key) as key, coalesce(w.attribute, r.attribute) as attribute
       from (select %1$s collate "C" as key, d.attribute collate "C" as attribute, d.ref_key collate "C" as ref_key from %2$s %7$s) w
       full join (
         select r.key, r.attribute, r.ref_key, 
             r.applied is distinct from case when %6$L::jsonb -> r.attribute ->> ''by'' = ''stable id'' then l.stable_id else l.remote_id end or %6$L::jsonb ? r.attribute and r.ref_entity <> %6$L::jsonb -> r.attribute ->> ''entity'' as moved,
           r.kept and %6$L::jsonb -> r.attribute ->> ''empty'' = ''keep'' as kept
         from staffetta.reference r left join staffetta.link l on (l.target, l.entity, l.key) = (r.target, r.ref_entity, r.ref_key)
         where r.target = %3$L and r.entity = %4$L %5$s) r
       on r.key = w.key and r.attribute = w.attribute and r.ref_key = w.ref_key
       where (w.key is null or r.key is null or r.moved) and r.kept is not true),
     holder as (select distinct m.key from member m join wanted w on w.key = m.key and not w.released)',
      format(canonical, 'd.key'), members, target, entity, format(recorded_here, 'r'), route.refs, wanted_here);
  else
    statement := statement || ', member as (select null::text as key, null::text as attribute where false), holder as (select null::text as key where false)';
  end if;

  return statement || ',
     compared as materialized (
       select e.key, bool_or(e.differs or h.key is not null) as differs, min(e.fingerprint) as fingerprint from entry e left join holder h on h.key = e.key group by e.key)';
end $$;
comment on function staffetta.comparison(text, text, boolean, int, int) is 'The common table expressions that compare the desired state of a route with its links';
revoke all on function staffetta.comparison(text, text, boolean, int, int) from public;

-- The condition, as SQL, that a difference is worth a delivery: not if it is parked with this very desired state.
create or replace function staffetta.worth_a_try(target text, entity text, key text, fingerprint text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format('($4 or not exists (select from staffetta.delivery p
    where (p.target, p.entity, p.key) = (%L, %L, %s) and (p.state in (''parked'', ''held'') or p.due_at = ''infinity'') and p.parked_for is not distinct from %s))',
    target, entity, key, fingerprint) $$;
comment on function staffetta.worth_a_try(text, text, text, text) is 'The condition that a difference is worth a delivery';
revoke all on function staffetta.worth_a_try(text, text, text, text) from public;

-- The comparison with the keys that are worth a delivery, as `different`. What is parked is tried again only if its
-- desired state is another than the one that was parked, or if a rescan is owed ($4): the mapping itself changed. What is
-- stuck for a desired state that is no more is looked at, whether or not it differs, and whether or not its key is still
-- known to the view or by a link; so is what waits for another target, and would look by itself only after minutes. A key
-- that is too long for the queue, as `refused`, is told of once, like an event that could not be turned into keys.
create or replace function staffetta.difference(target text, entity text, listed boolean, part int default 0, parts int default 1) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('with %s, stuck as materialized (
       select d.key, d.parked_for from staffetta.delivery d where d.target = %L and d.entity = %L and d.state in (''waiting'', ''held'', ''parked'')
         and (d.state <> ''waiting'' or d.due_at = ''infinity'' or d.wait_target is not null) %s),
     different as (
       select k.key from (
         select coalesce(c.key, s.key) as key, c.key is null as unknown, c.differs, c.fingerprint, s.key is not null as stuck, s.parked_for
         from compared c full join stuck s on s.key = c.key) k
       where (k.differs or k.unknown or k.stuck and k.parked_for is distinct from k.fingerprint) and %s),
     refused as (
       select c.key from compared c where octet_length(c.key) > staffetta.longest_key()
         and not exists (select from staffetta.event_failed f where f.cols = array[c.key]))',
    staffetta.comparison(target, entity, listed, part, parts), target, entity,
    case when listed then 'and d.key = any($3)' else 'and ' || staffetta.is_of_part('d.key', part, parts) end,
    staffetta.worth_a_try(target, entity, 'k.key', 'k.fingerprint')) $$;
comment on function staffetta.difference(text, text, boolean, int, int) is 'The common table expressions with the keys of a route that are worth a delivery';
revoke all on function staffetta.difference(text, text, boolean, int, int) from public;
