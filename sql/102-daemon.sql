-- The daemons that are alive: those whose last heartbeat is younger than half a minute.
create or replace view staffetta.daemon as
select instance, host, pid, version, revision, state, message, started_at, beat_at
from staffetta.instance
where beat_at > clock_timestamp() - interval '30 seconds';
comment on view staffetta.daemon is 'The daemons that are alive';
