-- Forced replays: an administrator says "do it again", and the live entry is read and mended, whatever the link says.

-- Replay keys of an entity on one target or on all. One row per target and key says what will be done.
create or replace function staffetta.replay(entity text, keys text[], target text default null, reason text default null)
returns setof staffetta.replayed
language plpgsql security definer set search_path = pg_catalog, pg_temp set row_security = off set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  route record;
  type text;
  canonical text[];
  present text[];
  released text[];
  unreadable text;
begin
  if replay.entity is null then
    raise exception 'Which entity? Write, for example: select * from staffetta.replay(''person'', ''42'').' using errcode = 'ST001';
  end if;
  for route in select r.target, r.entity, t.state from staffetta.routes(replay.target, replay.entity) r join staffetta.target t using (target) order by 1, 2 loop
    canonical := staffetta.canonical_keys(route.target, route.entity, replay.keys);
    execute staffetta.enqueue_statement(
      format('select %L::text as target, %L::text as entity, k as key, 0::smallint as priority from unnest($3) k', route.target, route.entity), true)
      using 'replay' || coalesce(': ' || nullif(replay.reason, ''), ''), staffetta.actor(), canonical;

    present := '{}';
    released := '{}';
    unreadable := null;
    begin
      select k.type into type from staffetta.key_type(route.target, route.entity) k;
      -- PROTOCOL B3: keys in the view's own type, one lookup each
      execute format(
        'select array_agg(k.given) filter (where d.key is not null and not d.released), array_agg(k.given) filter (where d.released)
         from (select given, given::%1$s as key from unnest($1) given) k
         left join lateral (select x.key, x.released from staffetta.%2$I x where x.key = k.key offset 0) d on true',
        type, 'desired_' || route.target || '_' || route.entity) into present, released using canonical;
    exception when others then
      unreadable := sqlerrm;
    end;

    return query
      select route.target::text, route.entity::text, k,
        concat_ws('; ',
          case
            when unreadable is not null then 'queued, but the desired state cannot be read at present: ' || unreadable
            when k = any(present) and l.key is null then 'queued: not on the target yet'
            when k = any(present) then 'queued: the live entry will be compared and mended'
            when k = any(released) and l.key is null then 'queued, though there is nothing to do: in the view, but not meeting "only", and not on the target'
            when k = any(released) then 'queued: no longer meets "only" and will be released'
            when l.key is null then 'queued, though there is nothing to do: neither in the view nor on the target'
            else 'queued: no longer in the view, will be deprovisioned'
          end,
          case route.state when 'active' then null else 'the target is ' || route.state end)
      from unnest(canonical) k
      left join staffetta.link l on (l.target, l.entity, l.key) = (route.target, route.entity, k)
      order by k collate "C";
  end loop;
  perform pg_notify('staffetta', 'due');
end $$;
comment on function staffetta.replay(text, text[], text, text) is
  'Do it again for these keys, on one target (default: all that have the entity): the live entry is read, compared and mended';
revoke all on function staffetta.replay(text, text[], text, text) from public;

-- Replay one key.
create or replace function staffetta.replay(entity text, key text, target text default null, reason text default null)
returns setof staffetta.replayed
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select * from staffetta.replay($1, array[$2], $3, $4) $$;
comment on function staffetta.replay(text, text, text, text) is
  'Do it again for this key, on one target (default: all that have the entity): the live entry is read, compared and mended';
revoke all on function staffetta.replay(text, text, text, text) from public;

-- Replay every key that is in the view or on the target, behind everybody else's changes (bulk priority).
create or replace function staffetta.replay_all(entity text, target text default null, reason text default null)
returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp set row_security = off set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  route record;
  canonical text;
  total bigint;
begin
  if replay_all.entity is null then
    raise exception 'Which entity? Write, for example: select * from staffetta.replay_all(''person'').' using errcode = 'ST001';
  end if;
  for route in select r.target, r.entity, t.state from staffetta.routes(replay_all.target, replay_all.entity) r join staffetta.target t using (target) order by 1, 2 loop
    select k.canonical into canonical from staffetta.key_type(route.target, route.entity) k;
    execute staffetta.enqueue_statement(
      format('select %1$L::text as target, %2$L::text as entity, k.key, 1::smallint as priority from (
                select %3$s collate "C" as key from staffetta.%4$I d where not d.released
                union select l.key from staffetta.link l where l.target = %1$L and l.entity = %2$L) k',
        route.target, route.entity, format(canonical, 'd.key'), 'desired_' || route.target || '_' || route.entity), true)
      using 'replay' || coalesce(': ' || nullif(replay_all.reason, ''), ''), staffetta.actor();
    get diagnostics total = row_count;
    perform staffetta.tell_planner(total);
    return query select route.target::text, route.entity::text, total,
      case route.state when 'active' then 'queued' else 'queued; the target is ' || route.state end;
  end loop;
  perform pg_notify('staffetta', 'due');
end $$;
comment on function staffetta.replay_all(text, text, text) is 'Do it again for every key that is in the view or on the target';
revoke all on function staffetta.replay_all(text, text, text) from public;
