-- Where this database and its targets are, so that a copy of either is told from the original (PROTOCOL C5, C6), and
-- whose a claim is, so that a dead daemon's are taken over at once.

-- What `staffetta accept-database` or the first `apply` pinned. Null: nothing yet.
alter table staffetta.installation
  add system_identifier text,                 -- of the PostgreSQL cluster
  add database_oid oid,
  add hosts text[] not null default '{}',     -- under which daemons reach it: host:port
  add timeline int;                           -- grows with every failover and point-in-time restore

-- A link whose epoch is behind its target's may not say what is there: it is read back first (PROTOCOL B5).
alter table staffetta.target add epoch int not null default 1;
alter table staffetta.link add epoch int not null default 1;

-- Live reconciles owed, because the links may have lost what happened last; removals wait for them (PROTOCOL C6).
alter table staffetta.route add reconcile bigint not null default 0;

-- The instance that holds the claim, and the machine it runs on: its processes can be seen from there.
alter table staffetta.delivery add claimed_by uuid;
alter table staffetta.instance add machine text;
