-- Order across targets (PROTOCOL F2) and time (F3).

-- A target that must have the key first, or be rid of it: settling there makes this delivery due (state waiting or parked).
alter table staffetta.delivery add wait_target text collate "C";

-- The attributes that the mapping writes; null: every one that the desired state has. What is taken out of it stays on the target.
alter table staffetta.route add attributes text[];

-- The query (key, at) that says when to look at a key again, up to when that was done, and why it cannot be.
alter table staffetta.route add revisit text, add revisited_at timestamptz, add revisit_error text, add revisit_error_at timestamptz;
