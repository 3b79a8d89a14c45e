-- Erasure: nothing that Staffetta keeps tells of a person any longer. Their entries on the targets are not touched; it says
-- which targets still hold them.

-- Whether a failed event was about a key: as its source's function reads it, or, where that is what failed, by its columns.
create or replace function staffetta.is_about(cols text[], keys_function text, key text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  result boolean;
begin
  execute format('select exists (select from %s($1) k where k = $2)', keys_function) into result using cols, key;
  return result;
exception when others then
  return key = any (cols);
end $$;
comment on function staffetta.is_about(text[], text, text) is 'Whether a failed event was about a key';
revoke all on function staffetta.is_about(text[], text, text) from public;

-- Where a person would come back from: a sentence that says so, or null.
create or replace function staffetta.why_not_erase(entity text, key text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
  present boolean;
  coming record;
begin
  for route in select r.target, r.entity from staffetta.routes(null, why_not_erase.entity) r order by 1 loop
    execute format('select exists (select from staffetta.%I x where x.key = $1::%s and not x.released)',
      'desired_' || route.target || '_' || route.entity, (select t.type from staffetta.key_type(route.target, route.entity) t))
      into present using why_not_erase.key;
    if present then
      return format('%s %s is in the view that target "%s" follows, and would come back. Delete the row, or have the view leave it out; erase it when that has been carried.',
        why_not_erase.entity, why_not_erase.key, route.target);
    end if;
  end loop;
  select b.target, b.why into coming from staffetta.backlog b join staffetta.target t on t.target = b.target
  where (b.entity, b.key) = (why_not_erase.entity, why_not_erase.key)
    and (b.state = 'claimed' or b.next_attempt is not null and t.state not in ('paused', 'quarantined', 'retired'))
  order by b.target limit 1;
  return format('A change of %s %s is still on its way to target "%s" (%s). Erase it when that is done; if the target is gone for good, pause it first.',
    why_not_erase.entity, why_not_erase.key, coming.target, coming.why) where coming is not null;
end $$;
comment on function staffetta.why_not_erase(text, text) is 'Why a person cannot be erased now; null: they can';
revoke all on function staffetta.why_not_erase(text, text) from public;

-- Forget everything about a person who is no longer replicated: links, members, reserved remote ids and values, passwords on
-- their way, deliveries with their errors, failed events, drift, and the whole journal of them. Refused while they would come back. Groups that they were in
-- are replayed. One row per target that anything was known of. `dry_run`: only says what would go.
create or replace function staffetta.erase(entity text, key text, dry_run boolean default false) returns setof staffetta.erased
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
  canonical text;
  targets text[];
  refused text;
  result staffetta.erased[];
begin
  if erase.entity is null then
    raise exception 'Which entity? Write, for example: select * from staffetta.erase(''person'', ''42'').' using errcode = 'ST001';
  end if;
  for route in select r.target, r.entity from staffetta.routes(null, erase.entity) r order by 1 loop
    canonical := (staffetta.canonical_keys(route.target, route.entity, array[erase.key]))[1];
  end loop;
  select array_agg(t.target) into targets from staffetta.target t;
  -- Nobody claims it meanwhile (PROTOCOL B9).
  perform from staffetta.delivery d where d.target = any (targets) and (d.entity, d.key) = (erase.entity, canonical)
  order by d.target for update;
  refused := staffetta.why_not_erase(erase.entity, canonical);
  if refused is not null then
    raise exception '%', refused using errcode = 'ST001';
  end if;

  begin
    -- Their entries are nobody's from now on: groups that hold them are read and mended.
    execute staffetta.enqueue_statement(
      'select distinct r.target, r.entity, r.key, 1::smallint as priority from staffetta.reference r join staffetta.route o using (target, entity)
       where r.target = any ($3) and (r.ref_entity, r.ref_key) = ($4, $5) and r.applied is not null', true)
      using 'a member was erased', staffetta.actor(), targets, erase.entity, canonical;
    execute staffetta.enqueue_statement(
      'select w.target, w.entity, w.key, w.priority from staffetta.delivery w
       where w.target = any ($3) and (w.wait_entity, w.wait_key) = ($4, $5)', false)
      using 'who had what it waits for was erased', staffetta.actor(), targets, erase.entity, canonical;
    with gone as (
      delete from staffetta.delivery d where d.target = any (targets) and (d.entity, d.key) = (erase.entity, canonical) returning d.*),
    unlinked as (
      delete from staffetta.link l where l.target = any (targets) and (l.entity, l.key) = (erase.entity, canonical) returning l.*),
    unreserved as (
      delete from staffetta.remote_id i where i.target = any (targets) and (i.entity, i.key) = (erase.entity, canonical)),
    vacated as (
      delete from staffetta.remote_value v where v.target = any (targets) and (v.entity, v.key) = (erase.entity, canonical)),
    unhanded as (
      delete from staffetta.password p where (p.entity, p.key) = (erase.entity, canonical)),
    parted as (
      delete from staffetta.reference r where r.target = any (targets)
        and ((r.entity, r.key) = (erase.entity, canonical) or (r.ref_entity, r.ref_key) = (erase.entity, canonical)) returning r.target),
    journaled as (
      delete from staffetta.journal j where (j.entity, j.key) = (erase.entity, canonical) returning j.target),
    drift as (
      delete from staffetta.reconcile_drift d using staffetta.reconcile_run r
      where r.run = d.run and (r.entity, d.key) = (erase.entity, canonical)),
    failed as (
      delete from staffetta.event_failed e where exists (
        select from staffetta.feed f where (f.source, f.entity) = (e.source, erase.entity) and staffetta.is_about(e.cols, f.keys_function, canonical))),
    known as (
      select u.target from unlinked u union select g.target from gone g union select p.target from parted p union select j.target from journaled j)
    select array_agg(row(k.target, coalesce(u.remote_id, g.stray[1]),
        (select count(*) from journaled j where j.target = k.target), (select count(*) from gone x where x.target = k.target),
        (select count(*) from parted p where p.target = k.target),
        case
          when u.target is not null then format('its entry is there still (%s), and nobody''s: remove it by hand',
            case u.state when 'active' then 'as it was last written' when 'kept' then 'kept' else u.state end)
          when g.stray is not null then 'an interrupted attempt may have left an entry there: look'
          else 'holds no entry of it' end)::staffetta.erased order by k.target)
    into result
    from known k left join unlinked u on u.target = k.target left join gone g on g.target = k.target;
    if erase.dry_run then
      raise exception using errcode = 'ST003'; -- takes everything back
    end if;
    perform pg_notify('staffetta', 'due');
  exception when sqlstate 'ST003' then
    null;
  end;
  return query select * from unnest(result);
end $$;
comment on function staffetta.erase(text, text, boolean) is
  'Forget everything about a person who is no longer replicated, and say which targets still hold them';
revoke all on function staffetta.erase(text, text, boolean) from public;
