-- How to disable the entry that a key waits for, as its row said: should the row be gone when the entry is handed over to
-- it, nobody else knows any more (PROTOCOL C4).
alter table staffetta.delivery add wait_disable jsonb;
