-- How long a daemon's heartbeat may be missing before the others take it for dead, and it itself sends nothing more.
alter table staffetta.instance add silence interval not null default '20 s';
