-- What may go out: a target's mode, and its guard against accidents (PROTOCOL C3).

alter table staffetta.target
  -- observe: nothing is sent; manual: what an administrator approved; live: everything that the guard lets through
  add mode text not null default 'live' check (mode in ('observe', 'manual', 'live')),
  -- Its server was empty when we came, or its entries were adopted: it may be live.
  add admitted boolean not null default false,
  add guard_removals numeric not null default 0.1,  -- the share of an entity's links that may go within the window; 1: any number
  add guard_changes numeric not null default 0.5,   -- the share that may lose values or members
  add guard_floor int not null default 25,          -- so many always may
  add guard_window interval not null default '24 hours';
update staffetta.target t set admitted = exists (select from staffetta.link l where l.target = t.target);

-- What the guard let through: what of the window is used up. The row of the route is locked while it decides.
create table staffetta.guard_spent (
  target text collate "C" not null,
  entity text collate "C" not null,
  kind   text not null check (kind in ('removal', 'clearing')),
  at     timestamptz not null default clock_timestamp(),
  count  int not null,
  foreign key (target, entity) references staffetta.route on delete cascade
);
create index guard_spent_window on staffetta.guard_spent (target, entity, kind, at);

-- The rev that an administrator approved, and what would be sent.
alter table staffetta.delivery add approved bigint, add planned text;
create index delivery_absent on staffetta.delivery (target, entity) where absent_since is not null;
