import type pg from 'pg';

/** Asks the database. */
export type Query = <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** What was, and is not any longer. */
export interface Past {
  /** Keys of people who have ever been in another area than `people`. */
  readonly outsiders: ReadonlySet<string>;
  /** The keys, as `from to`, of whoever was renumbered, however often, from one to the other, or got the login of the other. */
  readonly succeeded: ReadonlySet<string>;
}

/**
 * Who has ever been in another area than `people`: the target `lists` has let them go, with whatever their entries said
 * then; and who was renumbered, or got whose login. Triggers of our own keep them, in the transactions of the applications.
 */
export const past = `
  create table registry.outsider (id bigint);
  create function registry.keep_outsider() returns trigger language plpgsql as $$ begin
    if new.area <> 'people' then insert into registry.outsider values (new.id); end if; return null; end $$;
  create trigger keep_outsider after insert or update on registry.person for each row execute function registry.keep_outsider();
  create table registry.renumbering (former bigint, later bigint);
  create function registry.keep_renumbering() returns trigger language plpgsql as $$ begin
    insert into registry.renumbering values (old.id, new.id); return null; end $$;
  create table registry.login (uid text, id bigint, primary key (uid, id));
  create function registry.keep_login() returns trigger language plpgsql as $$ begin
    insert into registry.login values (new.uid, new.id) on conflict do nothing; return null; end $$;
  create trigger keep_login after insert or update on registry.person for each row when (new.uid is not null) execute function registry.keep_login();
  create trigger keep_renumbering after update on registry.person for each row when (old.id <> new.id) execute function registry.keep_renumbering();`;

/** Reads what was, as the triggers kept it. */
export async function readPast(query: Query): Promise<Past> {
  const outsiders = await query<{ id: string }>('select distinct id::text from registry.outsider');
  const succeeded = await query<{ pair: string }>(
    `with recursive step as (
       select former, later from registry.renumbering
       union select a.id, b.id from registry.login a join registry.login b on a.uid = b.uid and a.id <> b.id),
     pair as (
       select former, later from step
       union select p.former, s.later from pair p join step s on s.former = p.later)
     select format('%s %s', former, later) as pair from pair`,
  );
  return {
    outsiders: new Set(outsiders.map(({ id }) => id)),
    succeeded: new Set(succeeded.map(({ pair }) => pair)),
  };
}
