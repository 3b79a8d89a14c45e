-- Deprovisioning in steps: what a link remembers of an absence, and what a route does about it and about shared values.

alter table staffetta.link
  add absent_since timestamptz,               -- when a replay first proved its key absent; null: it is not, for all we know
  add spared boolean not null default false;  -- an administrator discarded what was to be done to it: it is kept until its identity is back
create index link_absent on staffetta.link (target, entity, state, absent_since) where absent_since is not null;

-- [{do, after}]: what happens to the entry of an identity that has left the view, and so many seconds later; []: it is kept.
alter table staffetta.route alter deprovision drop default;
alter table staffetta.route alter deprovision type jsonb using
  case deprovision when 'keep' then '[]' else jsonb_build_array(jsonb_build_object('do', deprovision, 'after', 0)) end;
alter table staffetta.route alter deprovision set default '[]',
  add policies jsonb not null default '{}',   -- attribute → initial, add or merge; replace is left out
  add refs jsonb not null default '{}';       -- reference attribute → {entity, empty, placeholder}

-- It stands in the holder's entry only until there is another member (`empty: keep`).
alter table staffetta.reference add kept boolean not null default false;
