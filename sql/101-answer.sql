-- What the administrator's functions answer: rows that say what was done.
do $$
begin
  if to_regtype('staffetta.replayed') is null then
    create type staffetta.replayed as (target text, entity text, key text, note text);
    comment on type staffetta.replayed is 'A key that was queued for a forced replay';
  end if;
  if to_regtype('staffetta.touched') is null then
    create type staffetta.touched as (target text, entity text, deliveries bigint, note text);
    comment on type staffetta.touched is 'How many deliveries of a target (of one of its entities) were touched, and how';
  end if;
  if to_regtype('staffetta.rescanned') is null then
    create type staffetta.rescanned as (target text, entity text, compared bigint, enqueued bigint, error text);
    comment on type staffetta.rescanned is 'How many keys of a route were compared, how many differed; or why they could not be compared';
  end if;
  if to_regtype('staffetta.forgotten') is null then
    create type staffetta.forgotten as (target text, links bigint, members bigint, remote_ids bigint, deliveries bigint);
    comment on type staffetta.forgotten is 'What was known of a target that is no longer configured';
  end if;
  if to_regtype('staffetta.erased') is null then
    create type staffetta.erased as (target text, remote_id text, journal bigint, deliveries bigint, members bigint, note text);
    comment on type staffetta.erased is 'What was known of a person, and where their entry still is';
  end if;
  if to_regtype('staffetta.debt') is null then
    create type staffetta.debt as (target text, entity text, key text, stuck boolean, why text);
    comment on type staffetta.debt is 'What a key still waits for, and whether it goes on by itself';
  end if;
  if to_regtype('staffetta.arrived') is null then
    create type staffetta.arrived as (target text, entity text, key text, remote_id text);
    comment on type staffetta.arrived is 'Where the entry of a key stands, of which nothing is owed; null: it has none';
  end if;
end $$;
