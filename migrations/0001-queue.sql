-- The tables of the path of a change: event → delivery → link and journal. (Applied once; functions live in sql/.)
-- Names are compared byte by byte (collate "C"): every writer of many deliveries locks them in this order (PROTOCOL B9).

-- A changed row of a captured table. Keys only, never data; append-only; never read by "id > cursor".
create table staffetta.event (
  seq     bigint generated always as identity,
  xid     xid8 not null default pg_current_xact_id(),
  at      timestamptz not null default clock_timestamp(),
  source  text collate "C" not null,          -- schema.table; or '@link': an entry that others may refer to came, moved or went
  op      "char" not null,                    -- I U D; R: the keys are not known, rescan the source
  cols    text[],                             -- the captured columns, in the order of source.columns
  actor   text not null default coalesce(nullif(current_setting('staffetta.actor', true), ''), session_user)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);
create index event_order on staffetta.event (xid, seq);

-- An event that could not be turned into keys, with the reason (PROTOCOL A10).
create table staffetta.event_failed (
  seq       bigint primary key,
  xid       xid8 not null,
  at        timestamptz not null,
  source    text collate "C" not null,
  op        "char" not null,
  cols      text[],
  actor     text not null,
  failed_at timestamptz not null default clock_timestamp(),
  error     text not null
);

-- A captured table, as the last `apply` left it.
create table staffetta.source (
  source   text collate "C" primary key,      -- schema.table
  relation oid not null,
  columns  text[] not null,                   -- the columns that its events carry
  notify   boolean not null,
  error    text,                              -- why its events cannot be ingested at present
  error_at timestamptz
);

-- A configured target and its state.
create table staffetta.target (
  target     text collate "C" primary key,
  type       text not null,
  state      text not null default 'active' check (state in ('active', 'paused', 'waiting', 'quarantined', 'retired')),
  reason     text,                            -- why it is not active
  since      timestamptz not null default clock_timestamp(),
  failures   int not null default 0,          -- attempts to reach it that failed in a row
  retry_at   timestamptz,                     -- when it is tried again (waiting)
  identity   text,                            -- which installation its links belong to (PROTOCOL C5)
  not_yet    text[] not null default '{}'     -- configured, but not acted on by this version
);

-- An entity of a target.
create table staffetta.route (
  target text collate "C" references staffetta.target on delete cascade,
  entity text collate "C",
  rescan bigint not null default 0,           -- rescans owed (PROTOCOL A11)
  deprovision text not null default 'keep',   -- what happens when an identity has left the view: disable, delete, keep
  error    text,                              -- why its desired state cannot be read at present (PROTOCOL B12)
  error_at timestamptz,
  retry_at timestamptz,
  failures int not null default 0,
  primary key (target, entity)
);

-- A debt: bring this key of this target up to date. At most one row, however many events.
create table staffetta.delivery (
  target      text collate "C",
  entity      text collate "C",
  key         text collate "C",
  rev         bigint not null default 1,      -- grows with every reason to look again
  state       text not null default 'pending' check (state in ('pending', 'waiting', 'held', 'parked')),
  priority    smallint not null default 0,    -- 0 interactive, 1 bulk
  due_at      timestamptz not null default clock_timestamp(),
  attempts    int not null default 0,
  -- the claim (PROTOCOL B4)
  token       uuid,
  claimed_rev bigint,
  lease_until timestamptz,
  unsure      boolean not null default false, -- the link may not say what is on the target: read the live entry first (B5)
  stray       text[],                         -- remote ids that a fenced-off worker may have written (B7)
  -- what it waits for
  wait_entity text collate "C",
  wait_key    text collate "C",
  wait_id     text collate "C",               -- the normalised remote id that it wants and the other holds
  absent_since timestamptz,                   -- when a replay first proved the key absent (C2: removeAfter counts from here)
  -- why it is here
  events      int not null default 1,
  first_at    timestamptz not null default clock_timestamp(),
  first_cause text,                           -- source and operation, or the reason an administrator gave
  first_actor text,
  last_at     timestamptz not null default clock_timestamp(),
  last_cause  text,
  last_actor  text,
  last_xid    xid8,
  -- what came of the last attempt
  error_kind  text,
  error       text,
  error_at    timestamptz,
  parked_for  text,                           -- fingerprint of the desired state that was parked: only another one is worth a try
  primary key (target, entity, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index delivery_due on staffetta.delivery (target, priority, due_at) where state in ('pending', 'waiting');
create index delivery_wait on staffetta.delivery (target, wait_entity, wait_key) where wait_key is not null;
create index delivery_stuck on staffetta.delivery (target, state) where state in ('waiting', 'held', 'parked');

-- What Staffetta last put on a target for a key.
create table staffetta.link (
  target      text collate "C",
  entity      text collate "C",
  key         text collate "C",
  remote_id   text not null,
  stable_id   text,
  state       text not null default 'active' check (state in ('active', 'disabled', 'kept')),
  attributes  jsonb not null,                 -- values applied: text, {"base64"}, or {"hash"} for secrets and long values (D5)
  fingerprint text,                           -- of the desired state applied; null: never equal
  disable     jsonb,                          -- {remote_id, attributes}: how to disable it once its row is gone
  at          timestamptz not null default clock_timestamp(),
  primary key (target, entity, key)
);

-- A reserved remote id; a rename holds two rows (PROTOCOL B6).
create table staffetta.remote_id (
  target     text collate "C",
  normalised text collate "C",
  entity     text collate "C" not null,
  key        text collate "C" not null,
  primary key (target, normalised)
);
create index remote_id_holder on staffetta.remote_id (target, entity, key);

-- A member: the holder refers to an identity, whether or not that has an entry yet (PROTOCOL F1).
create table staffetta.reference (
  target     text collate "C",
  entity     text collate "C",
  key        text collate "C",
  attribute  text collate "C",
  ref_entity text collate "C",
  ref_key    text collate "C",
  applied    text,                            -- the remote id that stands in the holder's entry; null: none yet
  primary key (target, entity, key, attribute, ref_entity, ref_key)
);
create index reference_member on staffetta.reference (target, ref_entity, ref_key);

-- An attempt. Partitioned by day, dropped by retention.
create table staffetta.journal (
  at         timestamptz not null default clock_timestamp(),
  target     text collate "C" not null,
  entity     text collate "C" not null,
  key        text collate "C",                -- null: one row for a batch of an initial load
  operation  text not null,                   -- create update rename remove disable adopt release none
  result     text not null,                   -- done retried waiting parked unavailable fenced
  remote_id  text,
  changed    text[],                          -- names of attributes, never values
  count      int not null default 1,
  lag        interval,                        -- from the event's clock time to done
  xid        xid8,
  actor      text,
  cause      text,
  attempt    int,
  error_kind text,
  message    text
) partition by range (at);
create index journal_key on staffetta.journal (entity, key, at);
create index journal_route on staffetta.journal (target, entity, at);

-- A tunable, readable and settable with SQL.
create table staffetta.parameter (
  code        text primary key,
  text        text,
  number      numeric,
  minimum     numeric,
  maximum     numeric,
  description text not null
);

-- A running daemon and its heartbeat.
create table staffetta.instance (
  instance   uuid primary key,
  host       text not null,
  pid        int not null,
  version    text not null,
  revision   text not null,                   -- of the configuration it runs with
  pool       text,                            -- graphile-worker's name for its worker pool
  state      text not null,
  message    text,
  started_at timestamptz not null default clock_timestamp(),
  beat_at    timestamptz not null default clock_timestamp()
);

-- The installation: one row. `secret` keys the hashes of secret attributes; only the daemon reads this table.
create table staffetta.installation (
  only_one   boolean primary key default true check (only_one),
  secret     bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'),
  revision   text,                            -- of the configuration last applied
  applied_at timestamptz,
  applied_by text
);
insert into staffetta.installation default values;

-- Objects that `apply` generated, so that it can tell what changed and remove what is no longer configured.
create table staffetta.generated (
  kind       text not null,                   -- capture keys resolve desired
  name       text not null,
  hash       text not null,                   -- of the statements that made it
  primary key (kind, name)
);

insert into staffetta.parameter (code, text, number, minimum, maximum, description) values
  ('LEASE_SECONDS', null, 60, 5, 3600, 'How long a claim lasts before another worker may take it over'),
  ('POLL_SECONDS', null, 2, 0.1, 60, 'The longest a change waits when a notification was lost'),
  ('BULK_ROWS', null, 500, 1, null, 'A transaction that changes more keys than this is bulk: others go first'),
  ('INGEST_BATCH', null, 10000, 1, 100000, 'Events taken from the queue in one statement'),
  ('RETRY_ATTEMPTS', null, 10, 1, 1000, 'Attempts after which a delivery that fails for unknown reasons is parked'),
  ('RETRY_SECONDS', null, 2, 0.01, 3600, 'Pause after the first failed attempt; it doubles with each'),
  ('RETRY_MAX_SECONDS', null, 3600, 1, 86400, 'The longest pause between two attempts of a delivery'),
  ('WAIT_SECONDS', null, 1, 0.01, 3600, 'Pause after a target could not be reached; it doubles with each'),
  ('WAIT_MAX_SECONDS', null, 60, 1, 3600, 'The longest pause before a target that could not be reached is tried again'),
  ('ONE_SIDED_LIMIT', null, 20, 1, null, 'Refusals for lack of rights in a row after which the target is quarantined'),
  ('REFERENCE_SECONDS', null, 2, 0, 600, 'How long a holder waits for more changes of its members before it is written'),
  ('JOURNAL_DAYS', null, 90, 1, null, 'Days after which journal rows are dropped');
