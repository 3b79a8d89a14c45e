-- What each program that was asked about a change said of it has a row of its own.
alter table staffetta.journal
  add module text, -- the backend whose word this is; null: what became of the change as a whole
  add code int;    -- the status that it gave: 0 done
