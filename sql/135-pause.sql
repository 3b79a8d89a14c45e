-- Stop and start a target. Changes of a paused target keep arriving as deliveries and are paid when it is resumed.

-- Pause a target: what is in flight is finished, nothing more is sent.
create or replace function staffetta.pause(target text, reason text default null) returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  before text;
begin
  if pause.target is null then
    raise exception 'Which target? Write, for example: select * from staffetta.pause(''directory'', ''maintenance until noon'').' using errcode = 'ST001';
  end if;
  perform staffetta.routes(pause.target, null);
  select t.state into before from staffetta.target t where t.target = pause.target for update;
  update staffetta.target t set state = 'paused', reason = coalesce(nullif(pause.reason, ''), 'paused') || ' (' || staffetta.actor() || ')',
    since = case when before = 'paused' then t.since else clock_timestamp() end, retry_at = null
  where t.target = pause.target;
  return query select pause.target, null::text, (select count(*) from staffetta.delivery d where d.target = pause.target),
    case before when 'paused' then 'was paused already' else 'was ' || before || ', is paused' end;
end $$;
comment on function staffetta.pause(text, text) is 'Send nothing more to a target until it is resumed';
revoke all on function staffetta.pause(text, text) from public;

-- Resume a target, whatever stopped it: an administrator, an outage, a quarantine.
create or replace function staffetta.resume(target text) returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  before text;
begin
  if resume.target is null then
    raise exception 'Which target? Write, for example: select * from staffetta.resume(''directory'').' using errcode = 'ST001';
  end if;
  perform staffetta.routes(resume.target, null);
  select t.state into before from staffetta.target t where t.target = resume.target for update;
  if before <> 'active' then
    update staffetta.target t set state = 'active', reason = null, since = clock_timestamp(), failures = 0, retry_at = null where t.target = resume.target;
    perform pg_notify('staffetta', 'due');
  end if;
  return query select resume.target, null::text, (select count(*) from staffetta.delivery d where d.target = resume.target),
    case before when 'active' then 'was active already' else 'was ' || before || ', is active' end;
end $$;
comment on function staffetta.resume(text) is 'Send to a target again, whatever had stopped it';
revoke all on function staffetta.resume(text) from public;
