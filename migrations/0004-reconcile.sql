-- Live reconciles: one row for each, and the drift that the last complete one of a route found.

create table staffetta.reconcile_run (
  run         bigint generated always as identity primary key,
  target      text collate "C" not null,
  entity      text collate "C" not null,
  started_at  timestamptz not null default clock_timestamp(),
  finished_at timestamptz,                    -- null: under way, or its process is no more
  repair      boolean not null,
  complete    boolean not null default false, -- every entry was seen: only then does not having seen one mean anything
  seen        bigint not null default 0,      -- entries
  missing     bigint not null default 0,
  changed     bigint not null default 0,
  misplaced   bigint not null default 0,
  unlinked    bigint not null default 0,
  unexpected  bigint not null default 0,
  unreadable  bigint not null default 0,
  under_way   bigint not null default 0,      -- differed, but a delivery was about to mend that, or just had
  repaired    bigint not null default 0,      -- differences for which a delivery was enqueued
  error       text,                           -- why it is not complete
  foreign key (target, entity) references staffetta.route on delete cascade
);
create index reconcile_run_route on staffetta.reconcile_run (target, entity, run);

-- What a reconcile found; people read it through the view staffetta.drift.
create table staffetta.reconcile_drift (
  run        bigint not null references staffetta.reconcile_run on delete cascade,
  key        text collate "C",                -- null: no identity accounts for the entry
  remote_id  text,                            -- where the entry stands, or should
  what       text not null check (what in ('missing', 'changed', 'misplaced', 'unlinked', 'unexpected', 'unreadable')),
  attributes text[] not null default '{}',    -- that differ; names only
  note       text,
  normalised text collate "C",                -- of the entry's remote id, where no link tells of the entry
  repairable boolean not null default false,
  repaired   boolean not null default false
);
create index reconcile_drift_key on staffetta.reconcile_drift (run, key);

-- Whose a live entry is.
create index link_stable on staffetta.link (target, stable_id) where stable_id is not null;

-- When an owed reconcile that failed is tried again.
alter table staffetta.route add reconcile_retry_at timestamptz;
