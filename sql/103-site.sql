-- Which database this is, so that a copy of it delivers nothing (PROTOCOL C6). A promoted base backup keeps the cluster's
-- identifier, a restored dump has another one, a database made from a template another oid; a snapshot of the whole
-- machine differs only in the host by which its daemons reach it.

-- The database as it is now. The timeline grows with every failover and point-in-time restore; null on a standby.
create or replace function staffetta.site(out system_identifier text, out database_oid oid, out timeline int)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.system_identifier::text, d.oid,
    case when not pg_is_in_recovery() then ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int end
  from pg_control_system() s, pg_database d where d.datname = current_database() $$;
comment on function staffetta.site() is 'The cluster, the database in it, and the timeline it is on';
revoke all on function staffetta.site() from public;

-- Why a daemon that runs with this revision of the configuration and reaches the database at this host (host:port) may
-- not deliver, in a sentence that says what to do; null where it may. A timeline that grew is no reason for long: the
-- next heartbeat notes it.
create or replace function staffetta.refusal(revision text, host text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case
    when i.revision is null then 'no configuration was applied yet; run "staffetta apply"'
    when i.revision <> refusal.revision then
      'another configuration was applied than the one this daemon runs with; it does nothing until it is restarted with that one, or this one is applied'
    when (i.system_identifier, i.database_oid) is distinct from (s.system_identifier, s.database_oid) then
      'this is a copy of the database that Staffetta was applied to (another cluster, or another database in it), so that it delivers nothing; if it is to take the original''s place, stop the original''s daemons and run "staffetta accept-database"'
    when refusal.host <> all (i.hosts) then
      format('the database is reached at %s, and was at %s: if this is a copy it must deliver nothing; if it is the same one under another name, run "staffetta accept-database"',
        refusal.host, array_to_string(i.hosts, ', '))
    when i.timeline is distinct from s.timeline then
      'the database was restored or has failed over; in a moment every link counts as doubtful'
  end
  from staffetta.installation i, staffetta.site() s $$;
comment on function staffetta.refusal(text, text) is 'Why a daemon may not deliver; null where it may';
revoke all on function staffetta.refusal(text, text) from public;

-- Every link of these targets (null: all) is read back before it is trusted again, and removals wait for a reconcile:
-- what was sent last may be forgotten here.
create or replace function staffetta.doubt_links(targets text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  with doubted as (
    select t.target from staffetta.target t where targets is null or t.target = any (targets) order by t.target for update),
  epoch as (update staffetta.target t set epoch = t.epoch + 1 from doubted d where t.target = d.target),
  route as (select r.target, r.entity from staffetta.route r join doubted d using (target) order by r.target, r.entity for update of r)
  update staffetta.route r set reconcile = r.reconcile + 1 from route o where (r.target, r.entity) = (o.target, o.entity);
  if to_regnamespace('graphile_worker') is not null then
    perform graphile_worker.add_job(identifier := 'sweep', job_key := 'sweep'); -- which sees to what is owed
  end if;
end $$;
comment on function staffetta.doubt_links(text[]) is 'Every link of these targets is read back before it is trusted; removals wait for a reconcile';
revoke all on function staffetta.doubt_links(text[]) from public;

-- Notes that the database is on another timeline, once: true for whoever did. The last commits before a failover or a
-- restore may be lost, and the links they had written with them.
create or replace function staffetta.note_timeline() returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update staffetta.installation i set timeline = s.timeline from staffetta.site() s
  where (i.system_identifier, i.database_oid) = (s.system_identifier, s.database_oid) and i.timeline <> s.timeline;
  if not found then
    return false;
  end if;
  perform staffetta.doubt_links(null);
  return true;
end $$;
comment on function staffetta.note_timeline() is 'Notes a failover or a restore, after which every link is doubtful; true for whoever noted it';
revoke all on function staffetta.note_timeline() from public;

-- Says that this database is the one to deliver from, reached at this host as well. What is not the database that was
-- accepted before has no other host, and every link of it is doubtful.
create or replace function staffetta.accept_database(host text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before staffetta.installation;
  now record;
begin
  if coalesce(accept_database.host, '') = '' then
    raise exception 'At which host do daemons reach it? Write, for example: select staffetta.accept_database(''db.example.org:5432''), as in database.url.'
      using errcode = 'ST001';
  end if;
  select * into now from staffetta.site();
  if now.timeline is null then
    raise exception 'This is a standby; promote it, then accept it.' using errcode = 'ST001';
  end if;
  select * into strict before from staffetta.installation for update;
  if (before.system_identifier, before.database_oid) = (now.system_identifier, now.database_oid) then
    perform staffetta.note_timeline();
    if accept_database.host = any (before.hosts) then
      return 'it was accepted already';
    end if;
    update staffetta.installation set hosts = before.hosts || accept_database.host;
    return format('it may be reached at %s, too', accept_database.host);
  end if;
  update staffetta.installation
  set system_identifier = now.system_identifier, database_oid = now.database_oid, timeline = now.timeline, hosts = array[accept_database.host];
  if before.system_identifier is null then
    return 'it was accepted';
  end if;
  perform staffetta.doubt_links(null);
  return 'it takes the place of the one that was accepted before; every link is read back before it is trusted, and removals wait for a reconcile';
end $$;
comment on function staffetta.accept_database(text) is 'Says that this database, reached at this host, is the one to deliver from';
revoke all on function staffetta.accept_database(text) from public;

-- Says that the server which a target reaches now is the right one, although it is another than its links belong to
-- (PROTOCOL C5). It is told from others from the next connection on; every link is read back before it is trusted.
create or replace function staffetta.accept_target(target text) returns setof staffetta.touched
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  if accept_target.target is null then
    raise exception 'Which target? Write, for example: select * from staffetta.accept_target(''directory'').' using errcode = 'ST001';
  end if;
  perform staffetta.routes(accept_target.target, null);
  perform staffetta.doubt_links(array[accept_target.target]);
  update staffetta.target t
  set identity = null, failures = 0, retry_at = null,
    state = case t.state when 'quarantined' then 'active' else t.state end,
    reason = case t.state when 'quarantined' then null else t.reason end,
    since = case t.state when 'quarantined' then clock_timestamp() else t.since end
  where t.target = accept_target.target;
  perform pg_notify('staffetta', 'due');
  return query select accept_target.target, null::text, (select count(*) from staffetta.link l where l.target = accept_target.target),
    'accepted; every link is read back before it is trusted'::text;
end $$;
comment on function staffetta.accept_target(text) is 'Says that the server which a target reaches now is the right one';
revoke all on function staffetta.accept_target(text) from public;
