-- Values that belong to one key of a target each (`unique: true`).

-- A reserved value of a unique attribute: every one that a link says is there, and those on their way.
create table staffetta.remote_value (
  target     text collate "C",
  attribute  text collate "C",
  normalised text collate "C",                -- staffetta.folded(value)
  entity     text collate "C" not null,
  key        text collate "C" not null,
  primary key (target, attribute, normalised)
);
create index remote_value_holder on staffetta.remote_value (target, entity, key);

-- The unique attributes of the mapping.
alter table staffetta.route add uniques text[] not null default '{}';

alter table staffetta.delivery
  add wait_attribute text collate "C" not null default '', -- whose value wait_id is, folded; '': it is the remote id
  add wait_keeps boolean not null default false;           -- it keeps what is waited for itself, so that no circle goes through it
