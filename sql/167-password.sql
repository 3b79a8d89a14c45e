-- Passwords are handed over, not captured: a table keeps at most their hashes. One is sealed with the installation's public
-- key as soon as it is here, so that nothing in the database can read it, and dropped when every target that takes passwords
-- of its entity has it, or when its time is over.

-- Hand over a new password of an identity to every target whose mapping takes passwords. `old_password`: for scripts that
-- ask for it; whoever calls has verified it. `kind`: `change` by its owner, `reset` by somebody else. `expires`: after so
-- long it is dropped, delivered or not. One row per target. A newer one takes its place.
create or replace function staffetta.set_password(
  entity text, key text, new_password text, old_password text default null, kind text default 'change', expires interval default '1 hour')
returns setof staffetta.replayed
language plpgsql security definer set search_path = pg_catalog, pg_temp set row_security = off set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  public_key text;
  pgcrypto text;
  targets text[];
  canonical text;
  sealed bytea;
  this bigint;
begin
  if set_password.entity is null or set_password.key is null then
    raise exception 'Whose password? Write, for example: select * from staffetta.set_password(''person'', ''42'', ''…'').' using errcode = 'ST001';
  end if;
  if coalesce(set_password.new_password, '') = '' then
    raise exception 'The new password is empty.' using errcode = 'ST001';
  end if;
  if set_password.kind is null or set_password.kind not in ('change', 'reset') then
    raise exception 'The kind is "%"; expected "change" or "reset".', set_password.kind using errcode = 'ST001';
  end if;
  if set_password.expires is null or set_password.expires <= interval '0' then
    raise exception 'A password that expires after % would reach nobody; expected a time such as "1 hour".', set_password.expires using errcode = 'ST001';
  end if;
  select array_agg(r.target order by r.target) into targets from staffetta.routes(null, set_password.entity) r where r.passwords;
  if targets is null then
    raise exception 'No target takes passwords of %. Give one "password:" in its mapping of %, and apply.', set_password.entity, set_password.entity
      using errcode = 'ST001';
  end if;
  canonical := (staffetta.canonical_keys(targets[1], set_password.entity, array[set_password.key]))[1];
  select i.password_key into public_key from staffetta.installation i;
  select quote_ident(n.nspname) into pgcrypto from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pgcrypto';
  if public_key is null or pgcrypto is null then
    raise exception 'Passwords cannot be sealed: there is no %. Run "staffetta apply".', case when public_key is null then 'public key' else 'extension pgcrypto' end
      using errcode = 'ST001';
  end if;
  -- Whose it is goes inside, so that a sealed password cannot be made another's.
  execute format('select %1$s.pgp_pub_encrypt($1, %1$s.dearmor($2), ''cipher-algo=aes256'')', pgcrypto) into sealed
    using jsonb_build_object('entity', set_password.entity, 'key', canonical, 'kind', set_password.kind,
      'new', set_password.new_password, 'old', set_password.old_password)::text, public_key;
  insert into staffetta.password as p (entity, key, kind, sealed, expires_at, actor)
  values (set_password.entity, canonical, set_password.kind, sealed, clock_timestamp() + set_password.expires, staffetta.actor())
  on conflict (entity, key) do update set id = default, kind = excluded.kind, sealed = excluded.sealed, handed_at = excluded.handed_at,
    expires_at = excluded.expires_at, actor = excluded.actor
  returning id into this;
  insert into staffetta.password_due (target, password) select t, this from unnest(targets) t on conflict do nothing;
  execute staffetta.enqueue_statement(
    format('select t as target, %L::text as entity, %L::text as key, 0::smallint as priority from unnest($3) t', set_password.entity, canonical), false)
    using 'password ' || set_password.kind, staffetta.actor(), targets;
  perform pg_notify('staffetta', 'due');
  return query
    select t.target::text, set_password.entity, canonical, concat_ws('; ',
      case when l.key is null then 'handed over: the target gets it with the entry, if that is made before it expires'
           else 'handed over' end,
      case t.state when 'active' then null else 'the target is ' || t.state end,
      case t.mode when 'live' then null else 'its mode is ' || t.mode end)
    from staffetta.target t
    left join staffetta.link l on (l.target, l.entity, l.key) = (t.target, set_password.entity, canonical)
    where t.target = any (targets) order by t.target;
end $$;
comment on function staffetta.set_password(text, text, text, text, text, interval) is
  'Hand over a new password of an identity to every target that takes passwords; kind: change or reset';
revoke all on function staffetta.set_password(text, text, text, text, text, interval) from public;

-- Drops passwords whose time is over, telling the journal of each target that did not get one, and those that every target
-- has. A delivery that was parked because of one is tried without it. How many expired.
create or replace function staffetta.drop_passwords() returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  expired int;
begin
  with over as (
    delete from staffetta.password p
    where p.expires_at <= clock_timestamp() or not exists (select from staffetta.password_due d where d.password = p.id)
    returning p.id, p.entity, p.key, p.kind, p.actor, p.handed_at)
  insert into staffetta.journal (target, entity, key, operation, result, lag, actor, cause, message)
  select d.target, o.entity, o.key, 'password', 'expired', clock_timestamp() - o.handed_at, o.actor, 'password ' || o.kind,
    'the password was dropped before the target had it: hand it over again'
  from over o join staffetta.password_due d on d.password = o.id;
  get diagnostics expired = row_count;
  if expired > 0 then
    execute staffetta.enqueue_statement(
      'select distinct d.target, d.entity, d.key, d.priority from staffetta.delivery d
       where d.state = ''parked'' and d.error like ''its password%''', false)
      using 'a password expired', staffetta.actor();
  end if;
  return expired;
end $$;
comment on function staffetta.drop_passwords() is 'Drop passwords that expired, or that every target has; how many targets did not get theirs';
revoke all on function staffetta.drop_passwords() from public;
