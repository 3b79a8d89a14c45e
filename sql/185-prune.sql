-- Retention: records are deleted when their time is over, table by table. Daemons do it daily; no parameter, no deletion.
create or replace function staffetta.prune() returns table (relation text, deleted bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform staffetta.ensure_journal_partitions();
  relation := 'journal (days)';
  deleted := staffetta.drop_journal_partitions();
  return next;

  relation := 'event_failed';
  delete from staffetta.event_failed f using staffetta.parameter p
  where p.code = 'EVENT_FAILED_DAYS' and f.failed_at < clock_timestamp() - make_interval(days => p.number::int);
  get diagnostics deleted = row_count;
  return next;

  relation := 'reconcile_run';
  delete from staffetta.reconcile_run r using staffetta.parameter p
  where p.code = 'RECONCILE_DAYS' and r.finished_at < clock_timestamp() - make_interval(days => p.number::int);
  get diagnostics deleted = row_count;
  return next;
end $$;
comment on function staffetta.prune() is 'Delete what is older than its parameter says: JOURNAL_DAYS, EVENT_FAILED_DAYS, RECONCILE_DAYS';
revoke all on function staffetta.prune() from public;
