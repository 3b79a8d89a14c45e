import type { Problem } from '../config/problem.ts';
import type { Queryable } from '../database/transaction.ts';

/** Whether the role may make what `apply` makes: the schemas of Staffetta, or what is in them, and views that it throws away. */
export async function checkRights(client: Queryable): Promise<Problem[]> {
  const { rows } = await client.query<{ message: string }>(
    `with me as (select quote_ident(current_user) as role, quote_ident(current_database()) as database),
     ours as (select w.name, n.nspowner from unnest('{staffetta,graphile_worker}'::text[]) w(name) left join pg_namespace n on n.nspname = w.name)
     select format('the role %s cannot make %s; run: grant create on database %s to %1$s', role, string_agg('schema ' || name, ' and ' order by name desc), database) as message
     from me, ours where nspowner is null and not has_database_privilege(current_database(), 'create') group by role, database
     union all
     select format('the schema %s belongs to %s, and the role is %s; "staffetta apply" and "staffetta run" connect as the same role', name, nspowner::regrole, role)
     from me, ours where nspowner is not null and not pg_has_role(nspowner, 'usage')
     union all
     select format('the role %s may make no temporary view, with which key expressions are looked at; run: grant temporary on database %s to %1$s', role, database)
     from me where not has_database_privilege(current_database(), 'temporary')`,
  );
  return rows.map(({ message }) => ({ path: ['database', 'url'], message }));
}

/** Whether passwords can be sealed in this database: `apply` installs pgcrypto where it is missing. */
export async function checkSealing(client: Queryable): Promise<Problem[]> {
  const { rows } = await client.query<{ available: boolean; may: boolean }>(
    `select exists (select from pg_available_extensions where name = 'pgcrypto') as available,
       has_database_privilege(current_database(), 'create') as may
     where not exists (select from pg_extension where extname = 'pgcrypto')`,
  );
  const [missing] = rows;
  if (!missing) return [];
  const message = missing.available
    ? 'the extension pgcrypto, which seals passwords, is not installed, and the role may not; have an administrator run: create extension pgcrypto'
    : 'the extension pgcrypto, which seals passwords, is not there; install the package of PostgreSQL that has it (postgresql-contrib)';
  return missing.available && missing.may ? [] : [{ path: ['passwords'], message }];
}
