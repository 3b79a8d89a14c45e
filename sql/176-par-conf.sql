-- ESSE3's parameters: its document asks for those of the replication with
--   select par_cod, val_alfa, val_num, des from par_conf where par_cod like 'LDAP%' and par_cod not like 'LDAP_AUTH%'
-- Here they are the tunables of staffetta.parameter, which can be set through the view as well, and what staffetta.yml said
-- at the last `apply`, but for secrets.
create or replace view staffetta.par_conf as
select 'LDAP_' || p.code as par_cod, p.text as val_alfa, p.number as val_num,
  p.description || format(' (%s%s)',
    case when p.maximum is null then format('%s or more', p.minimum)
         when p.minimum is null then format('%s or less', p.maximum)
         else format('from %s to %s', p.minimum, p.maximum) end,
    '; default ' || p.standard) as des
from staffetta.parameter p
union all
select 'LDAP_' || s.code, s.text, s.number, s.description || ' (staffetta.yml)' from staffetta.setting s;
comment on view staffetta.par_conf is 'What can be tuned, and what staffetta.yml said at the last apply, as ESSE3 has its parameters';
comment on column staffetta.par_conf.par_cod is 'LDAP_ and the code of a parameter, or of a setting of staffetta.yml';
comment on column staffetta.par_conf.val_alfa is 'the value, if it is a text';
comment on column staffetta.par_conf.val_num is 'the value, if it is a number';

-- Sets a parameter through the view; what staffetta.yml says is changed there.
create or replace function staffetta.set_par_conf() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if (new.par_cod, new.des) is distinct from (old.par_cod, old.des) then
    raise exception 'Only the value of % can be set: val_num or val_alfa.', old.par_cod using errcode = 'check_violation';
  end if;
  update staffetta.parameter p set number = new.val_num, text = new.val_alfa where 'LDAP_' || p.code = old.par_cod;
  if not found then
    raise exception '% is what staffetta.yml says: change it there and run "staffetta apply".', old.par_cod using errcode = 'check_violation';
  end if;
  return new;
end $$;
comment on function staffetta.set_par_conf() is 'Sets a parameter through the view par_conf';
revoke all on function staffetta.set_par_conf() from public;

create or replace trigger par_conf_set instead of update on staffetta.par_conf
  for each row execute function staffetta.set_par_conf();
