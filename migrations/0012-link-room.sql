-- An entry changes more often than it comes: with room in its page, the new state of a link touches no index. Pages that
-- are full already get room with time.
alter table staffetta.link set (fillfactor = 80);
