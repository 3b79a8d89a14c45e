-- Why a delivery exists: the two shapes that ingest carries through its grouping, and the words for a person.
do $$ begin
  if to_regtype('staffetta.cause') is null then
    create type staffetta.cause as (at timestamptz, op "char", actor text, xid xid8);
    create type staffetta.cause_said as (at timestamptz, cause text, actor text, xid xid8);
  end if;
end $$;

-- 'update registry.person', or for a change of an entry that others refer to 'change of a member'. Not STRICT, or PostgreSQL
-- would call it for each delivery, instead of writing it into the query [measured: 8 µs for each].
create or replace function staffetta.cause_text(op "char", source text) returns text
language sql immutable parallel safe as $$
  select case when source = '@link' then 'change of an entry it refers to or waits for'
              else case op when 'I' then 'insert' when 'U' then 'update' when 'D' then 'delete' else 'rescan' end || ' ' || source end
$$;
