-- Time (PROTOCOL F3): a mapping's `revisit:` is a query (key, at) over the source tables that says when to look at a key
-- again, since no row changes when a contract ends. Each sweep enqueues the keys whose time has come since the last one.

-- Enqueues the keys of a route whose `at` lies after the last time and not after now; answers with their number. Null:
-- another sweep is at it. A query that fails is told of in the route and enqueues nothing; its time does not move on, so
-- that it is made up for. It runs as the daemon's own, under the settings of its session.
create or replace function staffetta.revisit(target text, entity text) returns bigint
language plpgsql as $$
#variable_conflict use_column
declare
  route staffetta.route;
  type text;
  canonical text;
  enqueued bigint;
  failure text;
begin
  if not pg_try_advisory_xact_lock(7272005, hashtext(revisit.target || ' ' || revisit.entity)) then
    return null;
  end if;
  select r.* into route from staffetta.route r where (r.target, r.entity) = (revisit.target, revisit.entity);
  if route.revisit is null then
    return 0;
  end if;
  begin
    select k.type, k.canonical into type, canonical from staffetta.key_type(revisit.target, revisit.entity) k;
    execute staffetta.enqueue_statement(format(
      'select %1$L::text as target, %2$L::text as entity, k.key, (count(*) over () > %3$s)::int::smallint as priority from (
         select distinct %4$s collate "C" as key from (
%5$s
         ) q where q.key is not null and q.at::timestamptz > $3 and q.at::timestamptz <= now()) k',
      revisit.target, revisit.entity, staffetta.parameter_number('BULK_ROWS'), format(canonical, format('q.key::%s', type)), route.revisit), false)
      using 'revisit', staffetta.actor(), route.revisited_at;
    get diagnostics enqueued = row_count;
  exception when others or query_canceled then
    failure := sqlerrm;
  end;
  if failure is not null then
    update staffetta.route r set revisit_error = failure, revisit_error_at = clock_timestamp()
    where (r.target, r.entity) = (revisit.target, revisit.entity) and r.revisit_error is distinct from failure;
    return 0;
  end if;
  update staffetta.route r set revisited_at = now(), revisit_error = null, revisit_error_at = null
  where (r.target, r.entity) = (revisit.target, revisit.entity);
  if enqueued > 0 then
    perform pg_notify('staffetta', 'due'), staffetta.tell_planner(enqueued);
  end if;
  return enqueued;
end $$;
comment on function staffetta.revisit(text, text) is 'Enqueues the keys of a route whose time to be looked at again has come';
revoke all on function staffetta.revisit(text, text) from public;
