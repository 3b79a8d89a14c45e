-- What an administrator may name: entities, targets and keys, checked once for every function that takes them. Their
-- mistakes are raised with SQLSTATE ST001, so that the command line can tell them from failures.

-- Who asks: the setting `staffetta.actor` (the command line puts the operating system's user there), else the login.
-- Inside SECURITY DEFINER functions session_user is still the caller's.
create or replace function staffetta.actor() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(nullif(current_setting('staffetta.actor', true), ''), session_user) $$;
comment on function staffetta.actor() is 'Who asks: the setting staffetta.actor, else the login';
revoke all on function staffetta.actor() from public;

-- The routes that a target and an entity (null: any) name, in order. A name that is not known, or a target that is no
-- longer configured, is an error that lists the known ones.
create or replace function staffetta.routes(target text, entity text) returns setof staffetta.route
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  known text;
begin
  if routes.target is not null and not exists (select from staffetta.target t where t.target = routes.target and t.state <> 'retired') then
    select string_agg(t.target, ', ' order by t.target) into known from staffetta.target t where t.state <> 'retired';
    raise exception 'There is no target "%". Known targets: %.', routes.target, coalesce(known, 'none (has "staffetta apply" been run?)')
      using errcode = 'ST001';
  end if;
  if routes.entity is not null and not exists (
    select from staffetta.route r join staffetta.target t using (target)
    where r.entity = routes.entity and t.state <> 'retired' and (routes.target is null or r.target = routes.target))
  then
    select string_agg(distinct r.entity, ', ') into known from staffetta.route r join staffetta.target t using (target)
    where t.state <> 'retired' and (routes.target is null or r.target = routes.target);
    raise exception 'There is no entity "%"%. Known entities: %.', routes.entity, coalesce(' on target "' || routes.target || '"', ''),
      coalesce(known, 'none (has "staffetta apply" been run?)') using errcode = 'ST001';
  end if;
  return query
    select r.* from staffetta.route r join staffetta.target t using (target)
    where t.state <> 'retired' and (routes.target is null or r.target = routes.target) and (routes.entity is null or r.entity = routes.entity)
    order by r.target, r.entity;
end $$;
comment on function staffetta.routes(text, text) is 'The routes that a target and an entity (null: any) name; unknown names are an error';
revoke all on function staffetta.routes(text, text) from public;

-- The longest key, in bytes of its canonical text, so that two of them fit into one row of an index whatever they are.
create or replace function staffetta.longest_key() returns int language sql immutable parallel safe as 'select 1000';
comment on function staffetta.longest_key() is 'The longest key, in bytes';
revoke all on function staffetta.longest_key() from public;

-- What is wrong with a key that is longer.
create or replace function staffetta.key_too_long(key text) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select format('the key "%s…" has %s bytes; expected at most %s', left(key, 40), octet_length(key), staffetta.longest_key()) $$;
comment on function staffetta.key_too_long(text) is 'What is wrong with a key that is too long';
revoke all on function staffetta.key_too_long(text) from public;

-- The type of a route's key as the desired view declares it (PROTOCOL D2), and the SQL that turns an expression of that
-- type (%s) into canonical text: numeric is the only type with several texts for one value.
create or replace function staffetta.key_type(target text, entity text, out type text, out canonical text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  select format_type(a.atttypid, null),
    case when coalesce(nullif(t.typbasetype, 0), t.oid) = 'numeric'::regtype then 'trim_scale(%s)::text' else '(%s)::text' end
  into type, canonical
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attrelid = to_regclass(format('staffetta.%I', 'desired_' || target || '_' || entity)) and a.attname = 'key' and not a.attisdropped;
  if not found then
    raise exception 'The desired state of entity "%" on target "%" is not there: run "staffetta apply".', entity, target using errcode = 'undefined_table';
  end if;
end $$;
comment on function staffetta.key_type(text, text) is 'The type of a route''s key, and the SQL that gives its canonical text';
revoke all on function staffetta.key_type(text, text) from public;

-- Keys as a person writes them (' 42', '042') in the canonical form of the route's key type ('42'), each once, in order.
create or replace function staffetta.canonical_keys(target text, entity text, keys text[]) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  type text;
  canonical text;
  given text;
  result text[];
begin
  if keys is null or array_position(keys, null) is not null then
    raise exception 'A key of entity "%" is missing (null).', entity using errcode = 'ST001';
  end if;
  select * into type, canonical from staffetta.key_type(target, entity);
  canonical := format(canonical, format('k::%s', type));
  begin
    execute format('select coalesce(array_agg(distinct key collate "C"), ''{}'') from (select %s from unnest($1) k) c(key)', canonical)
      into result using keys;
  exception when data_exception or check_violation then
    foreach given in array keys loop  -- only to say which one
      begin
        execute format('select array[%s] from unnest(array[$1]) k', canonical) into result using given;
      exception when data_exception or check_violation then
        raise exception '"%" is not a key of entity "%", whose keys are of type %.', left(given, 100), entity, type
          using errcode = 'ST001';
      end;
    end loop;
    raise;
  end;
  select k into given from unnest(result) k where octet_length(k) > staffetta.longest_key() limit 1;
  if found then
    raise exception '%.', staffetta.key_too_long(given) using errcode = 'ST001';
  end if;
  -- The cast of a numeric lets fractions and NaN through; keys are whole numbers.
  if canonical like 'trim_scale%' then
    select k into given from unnest(result) k where k !~ '^-?[0-9]+$' limit 1;
    if found then
      raise exception '"%" is not a key of entity "%", whose keys are whole numbers.', given, entity using errcode = 'ST001';
    end if;
  end if;
  return result;
end $$;
comment on function staffetta.canonical_keys(text, text, text[]) is 'Keys as a person writes them in the canonical form of the key''s type';
revoke all on function staffetta.canonical_keys(text, text, text[]) from public;
