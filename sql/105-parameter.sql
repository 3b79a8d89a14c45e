-- Parameters are set with plain SQL: update staffetta.parameter set number = 5 where code = 'POLL_SECONDS'.
-- What cannot work is refused with a sentence.

create or replace function staffetta.check_parameter() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.standard := coalesce(new.standard, new.number);
    return new;
  end if;
  if new.code <> old.code then
    raise exception 'The code of a parameter cannot be changed (% to %).', old.code, new.code using errcode = 'check_violation';
  end if;
  if (old.number is null) <> (new.number is null) or (old.text is null) <> (new.text is null) then
    raise exception '% needs %: %.', old.code,
      case when old.number is null then 'a text in the column "text" and nothing in "number"' else 'a number in the column "number" and nothing in "text"' end,
      old.description using errcode = 'check_violation';
  end if;
  if new.number < new.minimum or new.number > new.maximum or new.number in ('NaN', 'Infinity') then
    raise exception '% cannot be %; expected %.', new.code, new.number,
      case when new.maximum is null then format('%s or more', new.minimum)
           when new.minimum is null then format('%s or less', new.maximum)
           else format('a number from %s to %s', new.minimum, new.maximum) end using errcode = 'check_violation';
  end if;
  return new;
end $$;
comment on function staffetta.check_parameter() is 'Refuses a value of a parameter outside its minimum and maximum; what it is first is its standard';
revoke all on function staffetta.check_parameter() from public;

create or replace trigger parameter_check before insert or update on staffetta.parameter
  for each row execute function staffetta.check_parameter();

-- Daemons keep what they read for a second; told, they read again at once.
create or replace function staffetta.tell_parameter() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('staffetta', 'parameters');
  return null;
end $$;
comment on function staffetta.tell_parameter() is 'Has daemons read the parameters again';
revoke all on function staffetta.tell_parameter() from public;

create or replace trigger parameter_tell after insert or update or delete on staffetta.parameter
  for each statement execute function staffetta.tell_parameter();

-- The number of a parameter; an error where there is none of that name.
create or replace function staffetta.parameter_number(code text) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  value numeric;
begin
  select p.number into strict value from staffetta.parameter p where p.code = parameter_number.code;
  return value;
end $$;
comment on function staffetta.parameter_number(text) is 'The number of a parameter';
revoke all on function staffetta.parameter_number(text) from public;

-- Parameters that came after the first version.
insert into staffetta.parameter (code, number, minimum, maximum, description) values
  ('ENTRY_BYTES', 4000000, 1000, 200000000, 'The largest entry that is sent to a target; OpenLDAP ends the connection of who sends more than 4,194,303 at once'),
  ('EVENT_FAILED_DAYS', 90, 1, null, 'Days after which events that could not be ingested are deleted'),
  ('RECONCILE_DAYS', 90, 1, null, 'Days after which live reconciles, and the drift they found, are deleted')
on conflict (code) do nothing;
