-- Who is captured, but not replicated: rows of the sources whose key is not in the entity's view, and rows of the view
-- that do not meet the mapping's "only". The keys of the sources come from staffetta.scope_keys_<entity>(), which `apply`
-- makes from the sources; where it is missing, or the sources may not be read, only the second kind is told.
create or replace function staffetta.find_out_of_scope() returns table (target text, entity text, key text, why text, on_target boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  route record;
  canonical text;
  view text;
  sources text;
begin
  for route in select r.target, r.entity from staffetta.routes(null, null) r order by 1, 2 loop
    view := 'desired_' || route.target || '_' || route.entity;
    sources := 'scope_keys_' || route.entity;
    begin
      select k.canonical into canonical from staffetta.key_type(route.target, route.entity) k;
      return query execute format(
        'select %L::text, %L::text, k.key, k.why, exists (select from staffetta.link l where (l.target, l.entity, l.key) = (%1$L, %2$L, k.key))
         from (select %3$s collate "C" as key, ''in the view, but does not meet "only"''::text as why from staffetta.%4$I d where d.released) k',
        route.target, route.entity, format(canonical, 'd.key'), view);
      if to_regprocedure(format('staffetta.%I()', sources)) is not null then
        return query execute format(
          'select %1$L::text, %2$L::text, k.key, ''in a source, but not in the view''::text,
             exists (select from staffetta.link l where (l.target, l.entity, l.key) = (%1$L, %2$L, k.key))
           from (select distinct s.key collate "C" as key from staffetta.%3$I() s(key) where s.key is not null) k
           where not exists (select from (select %4$s collate "C" as key from staffetta.%5$I d) d where d.key = k.key)',
          route.target, route.entity, sources, format(canonical, 'd.key'), view);
      end if;
    exception when syntax_error_or_access_rule_violation or invalid_schema_name then
      raise warning 'Who of entity "%" on target "%" is out of scope cannot be told: %', route.entity, route.target, sqlerrm;
    end;
  end loop;
end $$;
comment on function staffetta.find_out_of_scope() is 'Who is captured, but not replicated; read it through the view staffetta.out_of_scope';
revoke all on function staffetta.find_out_of_scope() from public;

create or replace view staffetta.out_of_scope as select * from staffetta.find_out_of_scope();
comment on view staffetta.out_of_scope is 'Who is captured, but not replicated';
comment on column staffetta.out_of_scope.on_target is 'whether Staffetta has put an entry there all the same (it is about to be released or deprovisioned, or was disabled or kept)';
