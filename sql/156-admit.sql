-- Says that a new target may be written to, whatever entries its server holds: they were adopted, or an administrator
-- knows of them. It was quarantined if that was asked first, and is not any longer.
create or replace function staffetta.admit(target text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  update staffetta.target t set admitted = true, failures = 0,
    state = case t.state when 'quarantined' then 'active' else t.state end,
    reason = case t.state when 'quarantined' then null else t.reason end,
    since = case t.state when 'quarantined' then clock_timestamp() else t.since end
  where t.target = admit.target;
  perform pg_notify('staffetta', 'due');
end $$;
comment on function staffetta.admit(text) is 'Says that a new target may be written to, whatever entries its server holds';
revoke all on function staffetta.admit(text) from public;
