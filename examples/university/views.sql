-- What the administrator decides: who is replicated, and with which values. Each view has one row per key. Lists are
-- gathered in lateral subqueries rather than by one GROUP BY over everything, so that looking up a few keys uses the
-- indexes of the tables, however many people there are.

-- People with a login, except those who are not to be replicated.
create view registry.v_person as
select
  p.id,
  p.uid,
  p.given_name,
  p.family_name,
  -- Chinese, Japanese and Korean names are written family name first, without a space; Hungarian and Vietnamese (and
  -- the former in Latin letters) with one. Whoever has one name only is shown by that.
  case
    when p.family_name ~ '^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]' then concat(p.family_name, p.given_name)
    when p.preferred_language ~ '^(zh|ja|ko|hu|vi)' then concat_ws(' ', p.family_name, p.given_name)
    else concat_ws(' ', p.given_name, p.family_name)
  end as display_name,
  coalesce(p.family_name, p.given_name) as sort_name,
  p.status,
  p.phone,
  p.preferred_language,
  p.photo,
  p.password_hash,
  department.name as department,
  unit.department_codes,
  mail.emails,
  study.courses
from registry.person p
left join registry.department on department.id = p.department_id
cross join lateral (
  select array_agg(e.address order by e.position, e.address) as emails
  from registry.email e
  where e.person_id = p.id
) mail
cross join lateral (
  select array_agg(distinct c.course) as courses, array_agg(c.department_id) as department_ids
  from registry.career c
  where c.person_id = p.id and c.status = 'active'
) study
cross join lateral (
  select array_agg(d.code order by d.code) as department_codes
  from registry.department d
  where d.id = any (array_append(study.department_ids, p.department_id))
) unit
where p.uid is not null and not p.no_replication;

-- Teams and the keys of their members, whether or not these are replicated.
create view registry.v_group as
select t.id, t.name, t.description, crew.members
from registry.team t
cross join lateral (
  select array_agg(m.person_id order by m.person_id) as members
  from registry.member m
  where m.team_id = t.id
) crew;

-- Who gets a badge.
create view registry.v_staff as
select id, uid, display_name, department_codes
from registry.v_person
where status = 'staff';
