-- The three roles that people get: staffetta_reader looks, staffetta_operator also replays and retries,
-- staffetta_admin also pauses, rescans, sweeps and sets parameters. Roles belong to the whole cluster, so they are made
-- only where they are missing and where the role that runs `apply` may; 190-grants.sql gives them their rights. Without
-- CREATEROLE nothing fails: a NOTICE says what an administrator of PostgreSQL may run instead.
do $$
declare
  wanted text;
  member record;
begin
  foreach wanted in array array['staffetta_reader', 'staffetta_operator', 'staffetta_admin'] loop
    if to_regrole(wanted) is null then
      begin
        execute format('create role %I nologin', wanted);
      exception
        when insufficient_privilege then
          raise notice 'The role % is missing and % may not create it; nobody but the owner can use what it would be given. An administrator may run: create role % nologin',
            wanted, current_user, wanted;
        when duplicate_object or unique_violation then null;  -- another database's apply made it at the same moment
      end;
    end if;
  end loop;

  for member in
    select * from (values ('staffetta_reader', 'staffetta_operator'), ('staffetta_operator', 'staffetta_admin')) as m(included, holder)
  loop
    if to_regrole(member.included) is not null and to_regrole(member.holder) is not null
      and not exists (select from pg_catalog.pg_auth_members a
                      where a.roleid = to_regrole(member.included) and a.member = to_regrole(member.holder))
    then
      begin
        execute format('grant %I to %I', member.included, member.holder);
      exception
        -- From PostgreSQL 16 on this needs ADMIN OPTION on the role, which only its creator has by itself.
        when insufficient_privilege then
          raise notice 'The role % should include %, and % may not grant that. An administrator may run: grant % to %',
            member.holder, member.included, current_user, member.included, member.holder;
        when unique_violation or internal_error then null;  -- another database's apply did it at the same moment
      end;
    end if;
  end loop;
end $$;
