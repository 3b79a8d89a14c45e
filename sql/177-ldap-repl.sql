-- ESSE3's replication queue: every change from its capture to its end, with ESSE3's words for where it stands.
--   ATTIVARE    captured, not ingested            ESECUZIONE  being written
--   ATTIVATA    owed, due                         SUCCESS     done, in the last day
--   ATTESA      the target cannot be reached      WARNING     done, in the last day, but a hook or write-back complained
--   SOSPESA     due later, waiting, held, paused  FAILURE     failed, and is tried again
--   ANNULLATA   parked: failed until somebody changes something

do $$ begin
  if to_regtype('staffetta.captured') is null then
    create type staffetta.captured as (entity text, key text, op "char", source text, actor text, at timestamptz);
    comment on type staffetta.captured is 'A change that was captured, and is no delivery yet';
  end if;
end $$;

-- The changes that were captured and are no deliveries yet, with their keys; where these cannot be computed, the captured
-- columns stand in their place.
create or replace function staffetta.find_captured() returns setof staffetta.captured
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  feed record;
  found staffetta.captured[];
begin
  for feed in select f.source, f.entity, f.keys_function from staffetta.feed f order by 1, 2 loop
    begin
      -- As one array, since rows that were returned before an error could not be taken back.
      execute format(
        'select array_agg(row($1, k.key, e.op, e.source, e.actor, e.at)::staffetta.captured)
         from staffetta.event e cross join lateral %s(e.cols) k(key) where e.source = $2 and e.op <> ''R''', feed.keys_function)
        into found using feed.entity, feed.source;
    exception when others then
      select array_agg(row(feed.entity, array_to_string(e.cols, ', '), e.op, e.source, e.actor, e.at)::staffetta.captured) into found
      from staffetta.event e where e.source = feed.source and e.op <> 'R';
    end;
    return query select * from unnest(found);
  end loop;
end $$;
comment on function staffetta.find_captured() is 'The changes that are no deliveries yet; read them through the view staffetta.ldap_repl';
revoke all on function staffetta.find_captured() from public;

create or replace view staffetta.ldap_repl as
select 'ATTIVARE' as state, r.target, c.entity, c.key, staffetta.cause_text(c.op, c.source) as cause, c.actor, c.at as captured_at,
  null::timestamptz as next_at, null::timestamptz as ended_at, 0 as attempts, 'captured, not ingested yet' as note
from staffetta.find_captured() c
join (select o.target, o.entity from staffetta.route o join staffetta.target t using (target) where t.state <> 'retired') r on r.entity = c.entity
union all
select
  case
    when b.state = 'claimed' then 'ESECUZIONE'
    when b.state = 'parked' then 'ANNULLATA'
    when b.state = 'held' then 'SOSPESA'
    when t.state in ('waiting', 'quarantined') then 'ATTESA'
    when b.attempts > 0 then 'FAILURE'
    when b.state = 'waiting' or t.state <> 'active' or b.next_attempt > clock_timestamp() then 'SOSPESA'
    else 'ATTIVATA'
  end,
  b.target, b.entity, b.key, b.last_cause, b.last_actor, b.since, b.next_attempt, null, b.attempts,
  case when b.state = 'claimed' then b.why else coalesce(b.error, b.why) end
from staffetta.backlog b join staffetta.target t on t.target = b.target
union all
select case j.result when 'done' then 'SUCCESS' else 'WARNING' end, j.target, j.entity, j.key, j.cause, j.actor, j.at - j.lag, null, j.at,
  coalesce(j.attempt, 1), coalesce(j.message, j.operation)
from staffetta.journal j
where j.at > now() - interval '1 day' and j.result in ('done', 'warned') and j.key is not null;
comment on view staffetta.ldap_repl is 'Every change from its capture to its end, with ESSE3''s words for where it stands';
comment on column staffetta.ldap_repl.state is 'ATTIVARE, ATTIVATA, ESECUZIONE, SUCCESS, WARNING, FAILURE, ATTESA, SOSPESA or ANNULLATA';
comment on column staffetta.ldap_repl.key is 'of the person or group';
comment on column staffetta.ldap_repl.actor is 'who made the change';
comment on column staffetta.ldap_repl.next_at is 'when it is tried, if it was not done';
comment on column staffetta.ldap_repl.ended_at is 'when it was done';
comment on column staffetta.ldap_repl.note is 'what was done, or why it has not been';

create or replace view staffetta.ldap_norep as
select o.target, o.entity, o.key, o.why as note, o.on_target from staffetta.out_of_scope o;
comment on view staffetta.ldap_norep is 'Who is captured, but not replicated, as ESSE3 calls it';
