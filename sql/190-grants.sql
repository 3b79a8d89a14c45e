-- What each role may do. Applied again by every `apply`, for the roles that exist (100-roles.sql). Nobody is given a right
-- on the queue itself, and applications need none at all.
do $$
declare
  reader constant text[] := array['status', 'backlog', 'held', 'failures', 'out_of_scope', 'daemon', 'journal', 'drift', 'reconcile_run', 'deprovisioning',
    'parameter', 'par_conf', 'ldap_repl', 'ldap_norep'];
  operator constant regprocedure[] := array[
    'staffetta.replay(text, text, text, text)', 'staffetta.replay(text, text[], text, text)', 'staffetta.retry(text, text, text[])',
    'staffetta.preview(text, text)', 'staffetta.desired(text, text, text[])',
    'staffetta.wait_for(text, text, text, interval)']::regprocedure[];
  admin constant regprocedure[] := array[
    'staffetta.replay_all(text, text, text)', 'staffetta.rescan(text, text)', 'staffetta.rescan_route(text, text)', 'staffetta.rescan_parts(text, text)',
    'staffetta.rescan_part(text, text, int, int)', 'staffetta.rescan_keys(text, text, text[])', 'staffetta.sweep()',
    'staffetta.pause(text, text)', 'staffetta.resume(text)', 'staffetta.forget(text, boolean)',
    'staffetta.accept_database(text)', 'staffetta.accept_target(text)',
    'staffetta.approve(text, text, text[], text)', 'staffetta.discard(text, text, text[], text)',
    'staffetta.erase(text, text, boolean)', 'staffetta.prune()',
    'staffetta.set_password(text, text, text, text, text, interval)']::regprocedure[];
  relation text;
  routine regprocedure;
begin
  if to_regrole('staffetta_reader') is not null then
    grant usage on schema staffetta to staffetta_reader;
    foreach relation in array reader loop
      execute format('grant select on staffetta.%I to staffetta_reader', relation);
    end loop;
    -- The functions of a view run with the rights of who reads it.
    grant execute on function staffetta.find_out_of_scope(), staffetta.find_captured(), staffetta.next_step(jsonb, text) to staffetta_reader;
  end if;
  if to_regrole('staffetta_operator') is not null then
    grant usage on schema staffetta to staffetta_operator;
    foreach routine in array operator loop
      execute format('grant execute on function %s to staffetta_operator', routine);
    end loop;
  end if;
  if to_regrole('staffetta_admin') is not null then
    grant usage on schema staffetta to staffetta_admin;
    foreach routine in array admin loop
      execute format('grant execute on function %s to staffetta_admin', routine);
    end loop;
    grant update (number, text) on staffetta.parameter to staffetta_admin;
    grant update (val_num, val_alfa) on staffetta.par_conf to staffetta_admin;
  end if;
end $$;
