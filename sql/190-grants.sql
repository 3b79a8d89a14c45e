-- What each role may do. Applied again by every `apply`, for the roles that exist (100-roles.sql). Nobody is given a right
-- on the queue itself, and applications need none at all.
do $$
declare
  reader constant text[] := array['status', 'backlog', 'failures', 'out_of_scope', 'daemon', 'journal', 'parameter'];
  operator constant regprocedure[] := array[
    'staffetta.replay(text, text, text, text)', 'staffetta.replay(text, text[], text, text)', 'staffetta.retry(text, text, text[])',
    'staffetta.preview(text, text)', 'staffetta.desired(text, text, text[])']::regprocedure[];
  admin constant regprocedure[] := array[
    'staffetta.replay_all(text, text, text)', 'staffetta.rescan(text, text)', 'staffetta.sweep()',
    'staffetta.pause(text, text)', 'staffetta.resume(text)']::regprocedure[];
  relation text;
  routine regprocedure;
begin
  if to_regrole('staffetta_reader') is not null then
    grant usage on schema staffetta to staffetta_reader;
    foreach relation in array reader loop
      execute format('grant select on staffetta.%I to staffetta_reader', relation);
    end loop;
    -- The functions of a view run with the rights of who reads it.
    grant execute on function staffetta.find_out_of_scope() to staffetta_reader;
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
  end if;
end $$;
