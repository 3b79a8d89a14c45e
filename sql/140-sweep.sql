-- Ask for a sweep now instead of at the next minute: everything waiting is ingested, every pump is kicked, owed rescans are done.
create or replace function staffetta.sweep() returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if to_regnamespace('graphile_worker') is null then
    raise exception 'graphile-worker is not installed in this database: run "staffetta apply".' using errcode = 'ST001';
  end if;
  perform graphile_worker.add_job(identifier := 'sweep', job_key := 'sweep');
  return query select null::text, null::text, (select count(*) from staffetta.delivery),
    'a sweep was asked for' || case when not exists (select from staffetta.daemon) then '; no daemon is running, so it is done when one starts' else '' end;
end $$;
comment on function staffetta.sweep() is 'Ask the daemons for a sweep now: ingest what waits, kick every pump, do owed rescans';
revoke all on function staffetta.sweep() from public;
