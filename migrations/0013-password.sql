-- Passwords that were handed over (staffetta.set_password), until every target that takes them has them.

create table staffetta.password (
  id         bigint generated always as identity primary key, -- another one whenever another password is handed over
  entity     text collate "C" not null,
  key        text collate "C" not null,
  kind       text not null check (kind in ('change', 'reset')),
  sealed     bytea not null,             -- an OpenPGP message (RFC 9580) to the holder of installation.password_key's other half
  handed_at  timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  actor      text,
  unique (entity, key)                   -- only the newest counts
);

-- A target that has not got it yet.
create table staffetta.password_due (
  target   text collate "C",
  password bigint references staffetta.password on update cascade on delete cascade,
  primary key (target, password)
);
create index password_due_password on staffetta.password_due (password);

alter table staffetta.installation add password_key text; -- the public key, in OpenPGP's armor; null: passwords are not taken
alter table staffetta.route add passwords boolean not null default false; -- whether the mapping takes them
