-- Drops everything that is known of a target which is no longer configured: links, members, reserved remote ids, deliveries
-- and the target itself. Nothing is removed there; the journal stays. `dry_run`: only counts.
create or replace function staffetta.forget(target text, dry_run boolean default false) returns setof staffetta.forgotten
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  state text;
  retired text;
  dropped staffetta.forgotten;
begin
  if forget.target is null then
    raise exception 'Which target? Write, for example: select * from staffetta.forget(''directory'').' using errcode = 'ST001';
  end if;
  select t.state into state from staffetta.target t where t.target = forget.target for update;
  if not found then
    select string_agg(t.target, ', ' order by t.target) into retired from staffetta.target t where t.state = 'retired';
    raise exception 'There is no target "%". Targets that can be forgotten: %.', forget.target, coalesce(retired, 'none, since all are configured')
      using errcode = 'ST001';
  end if;
  if state <> 'retired' then
    raise exception 'Target "%" is configured, and would be filled again. Take it out of staffetta.yml and run "staffetta apply" first; to send it nothing for a while: "staffetta pause %".',
      forget.target, forget.target using errcode = 'ST001';
  end if;

  dropped.target := forget.target;
  if forget.dry_run then
    select count(*) into dropped.links from staffetta.link l where l.target = forget.target;
    select count(*) into dropped.members from staffetta.reference r where r.target = forget.target;
    select count(*) into dropped.remote_ids from staffetta.remote_id i where i.target = forget.target;
    select count(*) into dropped.deliveries from staffetta.delivery d where d.target = forget.target;
  else
    with debts as materialized (  -- PROTOCOL B9
      select d.target, d.entity, d.key from staffetta.delivery d where d.target = forget.target order by d.target, d.entity, d.key for update)
    delete from staffetta.delivery d using debts b where (d.target, d.entity, d.key) = (b.target, b.entity, b.key);
    get diagnostics dropped.deliveries = row_count;
    delete from staffetta.password_due p where p.target = forget.target;
    delete from staffetta.link l where l.target = forget.target;
    get diagnostics dropped.links = row_count;
    delete from staffetta.reference r where r.target = forget.target;
    get diagnostics dropped.members = row_count;
    delete from staffetta.remote_id i where i.target = forget.target;
    get diagnostics dropped.remote_ids = row_count;
    delete from staffetta.remote_value v where v.target = forget.target;
    delete from staffetta.target t where t.target = forget.target;
  end if;
  return next dropped;
end $$;
comment on function staffetta.forget(text, boolean) is 'Drop everything that is known of a target which is no longer configured; nothing is removed there';
revoke all on function staffetta.forget(text, boolean) from public;
