-- An entry that a daemon made and could not record, because it was killed, has no link that says how to disable it.
alter table staffetta.remote_id
  add disable jsonb; -- {remote_id, attributes}: how to disable the entry that is being made under this id; null: its link says so
