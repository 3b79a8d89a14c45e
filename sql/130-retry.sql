-- Try again what failed, is parked or waits: it becomes due now and starts counting its attempts anew. What an
-- administrator mended on the target's side (credentials, rights) needs this, or nobody would look again.
create or replace function staffetta.retry(target text default null, entity text default null, keys text[] default null)
returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
  canonical text[];
  total bigint;
begin
  if retry.keys is not null and retry.entity is null then
    raise exception 'Of which entity are these keys? Write, for example: select * from staffetta.retry(''directory'', ''person'', ''{42}'').'
      using errcode = 'ST001';
  end if;

  for route in select r.target, r.entity from staffetta.routes(retry.target, retry.entity) r order by 1, 2 loop
    canonical := case when retry.keys is not null then staffetta.canonical_keys(route.target, route.entity, retry.keys) end;
    with locked as materialized (  -- PROTOCOL B9
      select d.target, d.entity, d.key from staffetta.delivery d
      where d.target = route.target and d.entity = route.entity and (canonical is null or d.key = any(canonical))
        and (d.state in ('parked', 'waiting') or (d.state = 'pending' and d.attempts > 0 and d.token is null))
      order by d.target, d.entity, d.key for update)
    update staffetta.delivery d set state = 'pending', rev = d.rev + 1, due_at = clock_timestamp(), attempts = 0, wait_entity = null, wait_key = null,
      last_at = clock_timestamp(), last_cause = 'retry', last_actor = staffetta.actor(), last_xid = null
    from locked l where (d.target, d.entity, d.key) = (l.target, l.entity, l.key);
    get diagnostics total = row_count;
    update staffetta.route r set retry_at = null, failures = 0
    where r.target = route.target and r.entity = route.entity and (r.retry_at is not null or r.failures > 0);
    return query select route.target::text, route.entity::text, total, case when total = 0 then 'nothing to try again' else 'due now' end;
  end loop;

  return query
    with before as materialized (
      select t.target, t.state from staffetta.target t
      where t.state in ('quarantined', 'waiting') and t.target in (select r.target from staffetta.routes(retry.target, retry.entity) r)
      order by t.target for update)
    update staffetta.target t set state = 'active', reason = null, since = clock_timestamp(), failures = 0, retry_at = null
    from before b where t.target = b.target
    returning t.target::text, null::text, null::bigint, 'was ' || b.state || ', is active';
  perform pg_notify('staffetta', 'due');
end $$;
comment on function staffetta.retry(text, text, text[]) is
  'Try again, now, what failed, is parked or waits; also lifts the quarantine of the targets concerned';
revoke all on function staffetta.retry(text, text, text[]) from public;
