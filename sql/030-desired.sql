-- What a target should hold, for people: the generated desired views (PROTOCOL D1) with the values of secret attributes
-- masked. It reads as the daemon does: under the same settings, each key looked up by itself (PROTOCOL B3).

-- The attributes with each value of the secret ones as asterisks.
create or replace function staffetta.masked(attributes jsonb, secrets text[]) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select attributes || coalesce((
    select jsonb_object_agg(s, (select jsonb_agg('********'::text) from jsonb_array_elements(attributes -> s)))
    from unnest(secrets) s where attributes ? s), '{}') $$;
comment on function staffetta.masked(jsonb, text[]) is 'The attributes with each value of the secret ones as asterisks';

create or replace function staffetta.desired(target text, entity text, keys text[] default null)
returns table (key text, released boolean, remote_id text, attributes jsonb, members jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
#variable_conflict use_column
declare
  name text := 'desired_' || desired.target || '_' || desired.entity;
  type text;
  canonical text;
  wanted text[];
  members text := 'null::jsonb';
  source text;
begin
  if desired.target is null or desired.entity is null then
    raise exception 'Which target and which entity? Write, for example: select * from staffetta.desired(''directory'', ''person'', ''{42}'').'
      using errcode = 'null_value_not_allowed';
  end if;
  perform staffetta.routes(desired.target, desired.entity);
  select k.type, k.canonical into type, canonical from staffetta.key_type(desired.target, desired.entity) k;
  if desired.keys is null then
    source := format('staffetta.%I d', name);
  else
    wanted := staffetta.canonical_keys(desired.target, desired.entity, desired.keys);
    source := format('unnest($1) k cross join lateral (select x.* from staffetta.%I x where x.key = k::%s offset 0) d', name, type);
  end if;
  if to_regclass(format('staffetta.%I', name || '_refs')) is not null then
    members := format(
      '(select jsonb_object_agg(m.attribute, m.keys) from (
         select r.attribute, jsonb_agg(r.ref_key order by r.ref_key collate "C") as keys from staffetta.%I r where r.key = d.key group by r.attribute) m)',
      name || '_refs');
  end if;
  return query execute format(
    'select %s, d.released, d.remote_id, staffetta.masked(d.attributes, staffetta.%I()), %s from %s order by d.key',
    format(canonical, 'd.key'), name || '_secrets', members, source) using wanted;
end $$;
comment on function staffetta.desired(text, text, text[]) is
  'What a target should hold for keys of an entity (default: all): in the view but not meeting "only" (released), or remote id, attributes (secrets masked) and keys of members';
revoke all on function staffetta.desired(text, text, text[]) from public;
