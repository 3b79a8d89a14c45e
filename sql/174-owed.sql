-- What keys of an entity still wait for: their deliveries, and the changes that were captured before `since` and are not
-- deliveries yet. Both in one statement, so that a change is seen on one side or the other while ingest moves it
-- (PROTOCOL F4). A change does not tell its keys before it is ingested, so every one of the entity's sources counts; such
-- rows have neither target nor key.
--
-- `keys` null: all; `target` null: all; `since` null: no changes. `stuck`: it does not go on by itself.
create or replace function staffetta.owed(entity text, keys text[], target text, since pg_snapshot)
returns setof staffetta.debt
language sql stable as $$ -- without SET, which would keep it from being part of the query that asks
  select b.target, b.entity, b.key,
    b.next_attempt is null or t.state in ('paused', 'quarantined', 'retired'),
    coalesce(case when b.state in ('parked', 'held') then b.error end, b.why)
  from staffetta.backlog b join staffetta.target t on t.target = b.target
  where b.entity = $1 and ($2 is null or b.key = any ($2)) and ($3 is null or b.target = $3)
    and exists (select from staffetta.route r where (r.target, r.entity) = (b.target, b.entity)) -- what is in doubt is kept without one
  union all
  select null, f.entity, null, s.error is not null,
    case when s.error is null then format('a change of %s is not ingested yet', f.source)
         else format('changes of %s cannot be ingested: %s', f.source, s.error) end
  from staffetta.feed f join staffetta.source s on s.source = f.source
  where f.entity = $1 and exists (
    select from staffetta.event e
    where e.xid < pg_snapshot_xmax($4) and e.source = f.source and pg_visible_in_snapshot(e.xid, $4)) $$;
comment on function staffetta.owed(text, text[], text, pg_snapshot) is 'What keys of an entity still wait for: deliveries, and changes that are no deliveries yet';
revoke all on function staffetta.owed(text, text[], text, pg_snapshot) from public;
