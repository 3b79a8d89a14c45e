-- Write-back: an administrator's function (entity, key, target, state, data) is told what became of an identity, in the
-- transaction that settles its delivery. Settle calls this for each delivery of which there is something new.
--
-- Null, or what it complained about. Whatever it raises undoes only what it did itself. It may not hold up others for
-- long: it waits shortly for locks (an application may hold them and wait for ours), and after ten seconds the rest of
-- the batch is not told; a replay tells it again.
create or replace function staffetta.write_back(name text, entity text, key text, target text, state text, data jsonb) returns text
language plpgsql set lock_timeout = '900ms' as $$
declare
  called regprocedure;
begin
  called := to_regprocedure(name || '(text, text, text, text, jsonb)');
  if called is null then
    return format('the function %s(text, text, text, text, jsonb) is not there any longer', name);
  end if;
  if clock_timestamp() - statement_timestamp() > interval '10 s' then
    return format('%s was not called, for its calls before took too long', called::regproc);
  end if;
  execute format('select %s($1, $2, $3, $4, $5)', called::regproc) using entity, key, target, state, data;
  return null;
exception when others or query_canceled or assert_failure then
  return format('%s: %s', name, sqlerrm);
end $$;
comment on function staffetta.write_back(text, text, text, text, text, jsonb) is 'Tells an administrator''s function what became of an identity; answers with its complaint';
revoke all on function staffetta.write_back(text, text, text, text, text, jsonb) from public;
