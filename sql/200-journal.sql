-- The journal's partitions, a day each (UTC). They are made a week ahead, when Staffetta is applied, started and pruned;
-- there is no default partition, which would have to be searched and locked (PROTOCOL G).

-- Makes the missing partitions from today to a week ahead. Returns how many were made.
create or replace function staffetta.ensure_journal_partitions() returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  day date;
  made int := 0;
begin
  for day in select generate_series((now() at time zone 'UTC')::date, (now() at time zone 'UTC')::date + 7, interval '1 day')::date loop
    if to_regclass(format('staffetta.%I', to_char(day, '"journal_"YYYYMMDD'))) is null then
      begin
        execute format('create table staffetta.%I partition of staffetta.journal for values from (%L) to (%L)',
          to_char(day, '"journal_"YYYYMMDD'), day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        made := made + 1;
      exception when duplicate_table then null;  -- another daemon made it at the same moment
      end;
    end if;
  end loop;
  return made;
end $$;
comment on function staffetta.ensure_journal_partitions() is 'Make the missing partitions of the journal, a week ahead';
revoke all on function staffetta.ensure_journal_partitions() from public;

-- Drops the partitions that are older than the parameter JOURNAL_DAYS; one that is being read is left for the next time.
-- Returns how many were dropped.
create or replace function staffetta.drop_journal_partitions() returns int
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare
  partition record;
  oldest text;
  dropped int := 0;
begin
  select to_char((now() at time zone 'UTC')::date - coalesce(p.number, 90)::int, '"journal_"YYYYMMDD') into oldest
  from staffetta.parameter p where p.code = 'JOURNAL_DAYS';
  for partition in
    select c.oid::regclass as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'staffetta.journal'::regclass and c.relname < oldest order by c.relname
  loop
    begin
      execute format('drop table %s', partition.name);
      dropped := dropped + 1;
    exception when lock_not_available then return dropped;
    end;
  end loop;
  return dropped;
end $$;
comment on function staffetta.drop_journal_partitions() is 'Drop the partitions of the journal that are older than the parameter JOURNAL_DAYS';
revoke all on function staffetta.drop_journal_partitions() from public;
