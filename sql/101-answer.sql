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
end $$;
