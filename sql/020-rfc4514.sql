-- Values in distinguished names (RFC 4514 section 2.4), escaped with hex pairs only: "\2C" never hides a comma, so that even a
-- client that splits names at commas splits them right (PROTOCOL D4).

create or replace function staffetta.escape_controls(v text) returns text language sql immutable parallel safe as $$
  select string_agg(case when c ~ '[\x01-\x1F\x7F]' then '\' || upper(lpad(to_hex(ascii(c)), 2, '0')) else c end, '' order by n)
  from regexp_split_to_table(v collate "C", '') with ordinality u(c, n) $$;
comment on function staffetta.escape_controls(text) is 'The text with control characters as hex pairs';

create or replace function staffetta.escape_specials(v text) returns text immutable parallel safe
return regexp_replace(regexp_replace(regexp_replace(
  replace(replace(replace(replace(replace(replace(replace(v collate "C",
    '\', '\5C'), ',', '\2C'), '"', '\22'), '+', '\2B'), '<', '\3C'), '>', '\3E'), ';', '\3B'),
  '^#', '\\23'), '^ ', '\\20'), ' $', '\\20');
comment on function staffetta.escape_specials(text) is 'The text with the characters that RFC 4514 section 2.4 lists as hex pairs';

-- Most values have nothing to escape, which one look finds out.
create or replace function staffetta.rfc4514(v text) returns text immutable parallel safe
return case when v collate "C" !~ '[\x01-\x1F\x7F\\,"+<>;]|^[# ]| $' then v
  when v collate "C" ~ '[\x01-\x1F\x7F]' then staffetta.escape_controls(staffetta.escape_specials(v))
  else staffetta.escape_specials(v) end;
comment on function staffetta.rfc4514(text) is 'A value as it stands in a distinguished name, escaped with hex pairs (RFC 4514 section 2.4)';
