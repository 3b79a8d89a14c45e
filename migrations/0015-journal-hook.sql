-- What each hook said of a change has a row of its own, as what each backend said has.
alter table staffetta.journal
  add hook text, -- the function of the module that was called, such as beforeCreate; null: it is no hook
  add run uuid;  -- of an attempt past hooks: the same for what became of it and what each of them said
