-- How a column becomes values (PROTOCOL D3), and how a name is put together from columns (D4). Generated desired views
-- call these; they depend on no table and on no setting of the session, so everybody may. Those that a view of a million
-- rows calls are bare expressions, which PostgreSQL writes into the view's own query.

-- The text of a value whose text, if cast, would depend on the session's settings or would not suit a directory. NULL
-- means that there is no value.
create or replace function staffetta.text_of(v boolean) returns text immutable parallel safe
return case when v then 'TRUE' when not v then 'FALSE' end;
comment on function staffetta.text_of(boolean) is 'TRUE or FALSE (RFC 4517 section 3.3.3)';

-- A year before 1 has no generalized time: its text ends in BC, which every target refuses, rather than being another year.
create or replace function staffetta.text_of(v timestamp) returns text stable parallel safe
return case when isfinite(v) then
  rtrim(rtrim(to_char(v, 'YYYYMMDDHH24MISS.US'), '0'), '.') || case when v < timestamp '0001-01-01' then ' BC' else 'Z' end
end;
comment on function staffetta.text_of(timestamp) is
  'Generalized time (RFC 4517 section 3.3.13), the time taken as UTC, fractions of a second where there are some; infinity: no value';

create or replace function staffetta.text_of(v timestamptz) returns text stable parallel safe
return staffetta.text_of(v at time zone 'UTC');
comment on function staffetta.text_of(timestamptz) is 'Generalized time in UTC (RFC 4517 section 3.3.13); infinity: no value';

create or replace function staffetta.text_of(v date) returns text stable parallel safe
return staffetta.text_of(v::timestamp);
comment on function staffetta.text_of(date) is 'Generalized time of midnight UTC (RFC 4517 section 3.3.13); infinity: no value';

create or replace function staffetta.text_of(v interval) returns text immutable parallel safe set intervalstyle = 'iso_8601'
return v::text;
comment on function staffetta.text_of(interval) is 'ISO 8601 duration, such as P1DT2H';

create or replace function staffetta.text_of(v numeric) returns text immutable parallel safe
return nullif(nullif(nullif(v::text, 'NaN'), 'Infinity'), '-Infinity');
comment on function staffetta.text_of(numeric) is 'All its digits, never an exponent; NaN and infinities: no value';

create or replace function staffetta.text_of(v double precision) returns text immutable parallel safe set extra_float_digits = 1
return staffetta.text_of(v::text::numeric);
comment on function staffetta.text_of(double precision) is 'The shortest digits that give the number back, never an exponent; NaN and infinities: no value';

create or replace function staffetta.text_of(v real) returns text immutable parallel safe set extra_float_digits = 1
return staffetta.text_of(v::text::numeric);
comment on function staffetta.text_of(real) is 'The shortest digits that give the number back, never an exponent; NaN and infinities: no value';

create or replace function staffetta.text_of(v money) returns text stable parallel safe
return staffetta.text_of(v::numeric);
comment on function staffetta.text_of(money) is 'The amount as a number, without a currency';

-- inet::text would add /32 to a plain address.
create or replace function staffetta.text_of(v inet) returns text immutable parallel safe
return abbrev(v);
comment on function staffetta.text_of(inet) is 'An address, with its prefix length unless it is that of a single host';

-- The values of an attribute: a JSON array of strings or {"base64": "…"}, each once, in order; NULL if there are none.
create or replace function staffetta.values_of(v text) returns jsonb stable parallel safe
return '[]'::jsonb || to_jsonb(nullif(v collate "C", ''));
comment on function staffetta.values_of(text) is 'One value, as an array; NULL or empty: NULL';

create or replace function staffetta.values_of(v bytea) returns jsonb stable parallel safe
return case when octet_length(v) > 0 then
  jsonb_build_array(jsonb_build_object('base64', translate(encode(v, 'base64'), E'\n', '')))
end;
comment on function staffetta.values_of(bytea) is 'One value of bytes, as an array; NULL or empty: NULL';

-- A loop, because a query inside a function would be started anew for each row: four times as long. [measured, 1M rows: 2.9 s
-- against 14.1 s]. It compares each value with those before it, which is only fast for a few.
create or replace function staffetta.distinct_values_of(v text[]) returns jsonb language plpgsql immutable parallel safe as $$
declare
  value text;
  result text[] := '{}';
begin
  if v is null or cardinality(v) > 100 then
    return (
      select jsonb_agg(d.e order by d.n)
      from (select u.e collate "C" as e, min(u.n) as n from unnest(v) with ordinality u(e, n) where u.e <> '' collate "C" group by 1) d);
  end if;
  foreach value in array v loop
    if value <> '' collate "C" and array_position(result, value collate "C") is null then
      result := result || value;
    end if;
  end loop;
  return to_jsonb(nullif(result, '{}'));
end $$;
comment on function staffetta.distinct_values_of(text[]) is 'What values_of makes of several elements';

-- Most lists have one element or none: this much is put into the query itself, without a call [measured: a third of the time
-- of a view with three lists].
create or replace function staffetta.values_of(v text[]) returns jsonb stable parallel safe
return case when cardinality(v) > 1 then staffetta.distinct_values_of(v)
  else '[]'::jsonb || to_jsonb(nullif(array_to_string(v, '') collate "C", '')) end;
comment on function staffetta.values_of(text[]) is 'The elements, of all dimensions, that are neither NULL nor empty, each once and in order; NULL if there are none';

-- The same lists as text, letter by letter what PostgreSQL writes for the jsonb: a rescan reads nothing else of a million
-- identities, and to build the jsonb only to have its text takes three times as long [measured].
create or replace function staffetta.json_of(v text) returns text stable parallel safe
return '[' || to_json(nullif(v collate "C", ''))::text || ']';
comment on function staffetta.json_of(text) is 'The text of values_of';

create or replace function staffetta.json_of(v bytea) returns text immutable parallel safe
return case when octet_length(v) > 0 then '[{"base64": "' || replace(encode(v, 'base64'), E'\n', '') || '"}]' end;
comment on function staffetta.json_of(bytea) is 'The text of values_of';

-- Most lists with several values have two that differ: without a call, too. An array of more dimensions, or that does not
-- begin at 1, has no such elements.
create or replace function staffetta.json_of(v text[]) returns text stable parallel safe
return case
  when cardinality(v) = 2 and v[1] <> v[2] collate "C" and v[1] <> '' collate "C" and v[2] <> '' collate "C" then
    '[' || to_json(v[1])::text || ', ' || to_json(v[2])::text || ']'
  when cardinality(v) > 1 then staffetta.distinct_values_of(v)::text
  else '[' || to_json(nullif(array_to_string(v, '') collate "C", ''))::text || ']' end;
comment on function staffetta.json_of(text[]) is 'The text of values_of';

create or replace function staffetta.values_of(v bytea[]) returns jsonb language sql immutable parallel safe as $$
  select jsonb_agg(staffetta.values_of(d.e) -> 0 order by d.n)
  from (select u.e, min(u.n) as n from unnest(v) with ordinality u(e, n) where octet_length(u.e) > 0 group by 1) d $$;
comment on function staffetta.values_of(bytea[]) is 'The elements that are neither NULL nor empty, each once and in order; NULL if there are none';

create or replace function staffetta.json_of(v bytea[]) returns text immutable parallel safe
return staffetta.values_of(v)::text;
comment on function staffetta.json_of(bytea[]) is 'The text of values_of';

-- PROTOCOL D5: what stands for a secret value wherever values are compared or kept, keyed with a secret of the installation.
-- Put together as text: that is NULL where the value is, and evaluates the value once. `k` is to be a column: a subquery would
-- keep the function from becoming part of the query, and calling it takes six times as long [measured].
create or replace function staffetta.hashed_json(k bytea, v bytea) returns text immutable parallel safe
return '[{"hash": "' || encode(sha256(k || sha256(k || nullif(v, ''))), 'hex') || '"}]';
comment on function staffetta.hashed_json(bytea, bytea) is 'The text of hashed';

create or replace function staffetta.hashed(k bytea, v bytea) returns jsonb immutable parallel safe
return staffetta.hashed_json(k, v)::jsonb;
comment on function staffetta.hashed(bytea, bytea) is
  'One secret value, text as UTF-8, as an array of {"hash": hex sha256(k || sha256(k || value))}; NULL or empty: NULL';

create or replace function staffetta.hashed(k bytea, v jsonb) returns jsonb language sql stable parallel safe as $$
  select jsonb_agg(staffetta.hashed(k,
      case when jsonb_typeof(e) = 'object' then decode(e ->> 'base64', 'base64') else convert_to(e #>> '{}', 'UTF8') end) -> 0 order by n)
  from jsonb_array_elements(v) with ordinality u(e, n) $$;
comment on function staffetta.hashed(bytea, jsonb) is 'Secret values, each as {"hash": hex sha256(k || sha256(k || value))}; NULL if there are none';

create or replace function staffetta.hashed_json(k bytea, v jsonb) returns text stable parallel safe
return staffetta.hashed(k, v)::text;
comment on function staffetta.hashed_json(bytea, jsonb) is 'The text of hashed';

-- PROTOCOL D5: "nothing to do" is one comparison. JSON text has no control characters, so that no two states give one text.
-- No secrets and no secret attributes are the same: a change of the mapping must touch only those whose values it changes.
create or replace function staffetta.fingerprint(remote_id text, attributes text, secrets text, disable jsonb) returns text stable parallel safe
return encode(sha256(convert_to(concat(remote_id, E'\x01', attributes, E'\x01', nullif(secrets, '{}'), E'\x01', disable), 'UTF8')), 'hex');
comment on function staffetta.fingerprint(text, text, text, jsonb) is
  'Hex sha256 of a desired state: remote id, attributes that are not secret, hashes of those that are (both as the text of jsonb), how it is disabled';

drop function if exists staffetta.fingerprint(text, jsonb, jsonb, jsonb); -- of jsonb, before it was of its text

create or replace function staffetta.not_blank(v text) returns text immutable parallel safe
return substring(v collate "C" from '^.*[^[:space:]].*$');
comment on function staffetta.not_blank(text) is 'The text, or NULL if it has nothing but white space';

-- A key is compared uncast, or its index would be lost; so its type must still be the one that the desired view was made
-- for. If it is not, PostgreSQL finds no function for the two types, and the entity waits for the next apply (PROTOCOL D2).
create or replace function staffetta.key_of_type(key anyelement, type anyelement) returns anyelement language sql immutable parallel safe as
$$ select key $$;
comment on function staffetta.key_of_type(anyelement, anyelement) is 'The key; an error where its type is not that of the second argument';
