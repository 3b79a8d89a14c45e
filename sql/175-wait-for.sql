-- Wait until a key is as its row says, on one target or on all: the answer to synchronous replication, which would let a
-- target that is down fail the application's transaction. Here the change is committed first; whoever waits in vain has
-- lost nothing but patience.

-- Returns when nothing of the key is owed any longer that was committed when it was called, with a row for each target:
-- where the entry stands, or null. Raises (ST002) when it is parked, held, or its target is stopped, and when `timeout` is
-- over; the change is carried all the same.
--
-- Each look is a statement with a snapshot of its own, which READ COMMITTED gives it; no transaction id is assigned, so
-- that drainers may sleep (PROTOCOL A2). It holds back vacuum for as long as it waits.
create or replace function staffetta.wait_for(entity text, key text, target text default null, timeout interval default '10 s')
returns setof staffetta.arrived
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  deadline constant timestamptz := clock_timestamp() + coalesce(wait_for.timeout, '10 s');
  began constant pg_snapshot := pg_current_snapshot();
  this constant xid8 := pg_current_xact_id_if_assigned();
  route record;
  canonical text;
  open record;
  pause float8 := 0.005;
begin
  if wait_for.entity is null then
    raise exception 'Which entity? Write, for example: select * from staffetta.wait_for(''person'', ''42'').' using errcode = 'ST001';
  end if;
  -- PROTOCOL F4
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'This transaction is %, and would never see that the key has arrived: wait in a READ COMMITTED one.',
      upper(current_setting('transaction_isolation')) using errcode = 'ST001';
  end if;
  for route in select r.target, r.entity from staffetta.routes(wait_for.target, wait_for.entity) r order by 1 loop
    canonical := (staffetta.canonical_keys(route.target, route.entity, array[wait_for.key]))[1];
  end loop;
  if exists (select from staffetta.event e where e.xid = this)
    or exists (select from staffetta.delivery d where d.entity = wait_for.entity and d.key = canonical and d.xmin = this::xid)
  then
    raise exception 'This transaction changed what is to be carried, which is seen when it has committed: commit first, then wait.' using errcode = 'ST001';
  end if;

  loop
    -- A parked key may be tried again by a change that is not ingested yet, so these come first.
    select o.target, o.stuck, o.why into open from staffetta.owed(wait_for.entity, array[canonical], wait_for.target, began) o
    order by o.key is not null, o.stuck = (o.key is not null) desc, o.target limit 1;
    exit when not found;
    if open.stuck then
      raise exception '% % does not arrive%: %', wait_for.entity, canonical, coalesce(' on ' || open.target, ''), open.why using errcode = 'ST002';
    end if;
    if clock_timestamp() >= deadline then
      raise exception '% % has not arrived% within % s: %', wait_for.entity, canonical, coalesce(' on ' || open.target, ''),
        extract(epoch from coalesce(wait_for.timeout, '10 s'))::float8,
        case when exists (select from staffetta.daemon) then open.why else open.why || '; no daemon is running' end using errcode = 'ST002';
    end if;
    perform pg_sleep(least(pause, greatest(extract(epoch from deadline - clock_timestamp()), 0)));
    pause := least(pause * 2, 0.1);
  end loop;

  return query
    select r.target::text, r.entity::text, canonical, l.remote_id
    from staffetta.routes(wait_for.target, wait_for.entity) r
    left join staffetta.link l on (l.target, l.entity, l.key) = (r.target, r.entity, canonical);
end $$;
comment on function staffetta.wait_for(text, text, text, interval) is 'Wait until a committed change of a key has arrived, on one target or on all';
revoke all on function staffetta.wait_for(text, text, text, interval) from public;
