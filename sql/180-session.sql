-- Functions that read desired states run under the settings that the daemon's connections pin (PROTOCOL B2): the same
-- row gives the same values and fingerprint whatever the session of the person who asks, and a row security policy
-- that would hide rows is an error. The mapping's own expressions also find the types and operators they were checked with.
do $$
declare
  reader regprocedure;
begin
  foreach reader in array array[
    'staffetta.replay(text, text[], text, text)', 'staffetta.replay_all(text, text, text)', 'staffetta.rescan(text, text)',
    'staffetta.rescan_route(text, text)', 'staffetta.rescan_owed(text, text)', 'staffetta.rescan_part(text, text, int, int)', 'staffetta.rescan_keys(text, text, text[])',
    'staffetta.preview(text, text)', 'staffetta.desired(text, text, text[])', 'staffetta.find_out_of_scope()',
    'staffetta.find_captured()', 'staffetta.erase(text, text, boolean)']::regprocedure[]
  loop
    execute format(
      'alter function %s set row_security = off set timezone = ''UTC'' set datestyle = ''ISO, YMD'' set intervalstyle = ''iso_8601''
       set search_path = public, pg_temp set extra_float_digits = 1 set bytea_output = ''hex'' set standard_conforming_strings = on', reader);
  end loop;
end $$;
