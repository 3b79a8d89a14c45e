-- What `apply` takes from the configuration for people to read, how long records are kept, and who is told what became of
-- an identity.

-- What a parameter is until somebody sets it.
alter table staffetta.parameter add standard numeric;
update staffetta.parameter p set standard = s.number
from (values ('LEASE_SECONDS', 60), ('POLL_SECONDS', 2), ('BULK_ROWS', 500), ('INGEST_BATCH', 10000), ('RETRY_ATTEMPTS', 10),
  ('RETRY_SECONDS', 2), ('RETRY_MAX_SECONDS', 3600), ('WAIT_SECONDS', 1), ('WAIT_MAX_SECONDS', 60), ('ONE_SIDED_LIMIT', 20),
  ('REFERENCE_SECONDS', 2), ('JOURNAL_DAYS', 90), ('ENTRY_BYTES', 4000000)) as s(code, number)
where p.code = s.code;

-- What staffetta.yml said at the last `apply`, but for secrets. Read through staffetta.par_conf.
create table staffetta.setting (
  code        text primary key,
  text        text,
  number      numeric,
  description text not null
);

-- Which captured table gives keys of which entity, and the function (cols text[]) that does.
create table staffetta.feed (
  source        text collate "C",
  entity        text collate "C",
  keys_function text not null,                -- quoted, with its schema
  primary key (source, entity)
);

-- The function that is told what became of an identity (schema.name); null: none.
alter table staffetta.route add write_back text;
