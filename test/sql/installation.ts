/**
 * A database with Staffetta's tables and functions in it, owned by a role that is no superuser, with two targets whose
 * desired views are written by hand: what is tested here does not depend on the compiler.
 */
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { createDatabase, type Database } from '../setup/database.ts';
import { migrations } from '../setup/migrations.ts';

export interface Installation {
  readonly database: Database;
  /** Connection string of the role that owns schema `staffetta`. */
  readonly owner: string;
  /** A pool of that role. */
  readonly pool: pg.Pool;
  /** Rows of a statement that the owner runs. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A session of a new person, who is a member of `role` (nothing: of none). */
  connectAs(role?: string): Promise<pg.Client>;
  close(): Promise<void>;
}

const root = new URL('../../', import.meta.url);

/** The files of `sql/`, in the order in which `apply` runs them. */
async function sqlFiles(): Promise<string[]> {
  const files = (await readdir(new URL('sql/', root))).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(files.map((file) => readFile(new URL(`sql/${file}`, root), 'utf8')));
}

/** What an administrator has: people and teams, and the views that say who of them is replicated. */
const registry = `
  create schema registry;
  create table registry.person (
    id bigint primary key, uid text, name text, password text, room int, guest boolean not null default false, hidden boolean not null default false);
  create table registry.team (id bigint primary key, name text not null);
  create table registry.member (team_id bigint not null, person_id bigint not null, primary key (team_id, person_id));
  create view registry.v_person as select * from registry.person where not hidden;
  create view registry.v_team as select t.*, array(select m.person_id from registry.member m where m.team_id = t.id) as members from registry.team t;`;

/**
 * What the compiler would make of a mapping: `only` leaves guests out, `uid` may be missing, the password is secret, and
 * a room 0 cannot be computed.
 */
const desired = (view: string) => `
  create function staffetta.${view}_rows() returns table (key bigint, released boolean, remote_id text, attributes jsonb, disable jsonb, fingerprint text)
  language sql stable as $$
    select v.id, v.guest, case when not v.guest then 'uid=' || v.uid || ',ou=people' end,
      case when not v.guest then d.attributes end, null::jsonb,
      case when not v.guest then encode(sha256(convert_to(concat_ws('|', v.uid, d.attributes::text), 'UTF8')), 'hex') end
    from registry.v_person v
    cross join lateral (select jsonb_strip_nulls(jsonb_build_object('cn', jsonb_build_array(v.name),
      'userPassword', case when v.password <> '' then jsonb_build_array(v.password) end,
      'roomNumber', case when v.room is not null then jsonb_build_array((1000 / v.room)::text) end)) as attributes) d $$;
  create view staffetta.${view} as select * from staffetta.${view}_rows();
  create function staffetta.${view}_secrets() returns text[] language sql as $$ select '{userPassword}'::text[] $$;`;

const mappings = `
  insert into staffetta.target (target, type) values ('directory', 'ldap'), ('badge', 'ldap');
  insert into staffetta.route (target, entity) values ('directory', 'person'), ('directory', 'team'), ('badge', 'person');
  update staffetta.route set refs = '{"member": {"entity": "person", "empty": "placeholder", "placeholder": "cn=nobody"}}' where entity = 'team';
  ${desired('desired_directory_person')}
  ${desired('desired_badge_person')}
  create function staffetta.desired_directory_team_rows() returns table (key bigint, released boolean, remote_id text, attributes jsonb, disable jsonb, fingerprint text)
  language sql stable as $$
    select v.id, false, 'cn=' || v.name || ',ou=teams', jsonb_build_object('cn', jsonb_build_array(v.name)), null::jsonb, md5(v.name) from registry.v_team v $$;
  create view staffetta.desired_directory_team as select * from staffetta.desired_directory_team_rows();
  create function staffetta.desired_directory_team_secrets() returns text[] language sql as $$ select '{}'::text[] $$;
  create function staffetta.desired_directory_team_refs_rows() returns table (key bigint, attribute text, ref_key text) language sql stable as $$
    select v.id, 'member', m::text from registry.v_team v cross join lateral unnest(v.members) m $$;
  create view staffetta.desired_directory_team_refs as select * from staffetta.desired_directory_team_refs_rows();`;

export async function createInstallation(): Promise<Installation> {
  const database = await createDatabase();
  const owner = await database.createRole();
  const run = async (url: string, statements: readonly string[]) => {
    const client = new pg.Client({ connectionString: url });
    client.on('notice', () => {});
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };

  await run(database.url, [
    registry,
    `grant create on database ${database.name} to ${owner.name}`,
    `grant usage on schema registry to ${owner.name}`,
    `grant select on registry.v_person, registry.v_team to ${owner.name}`,
    await readFile(new URL('sql/100-roles.sql', root), 'utf8'),
  ]);
  const sql = await sqlFiles();
  await run(owner.url, ['create schema staffetta', ...(await migrations()), ...sql, ...sql, mappings]);

  const pool = new pg.Pool({ connectionString: owner.url, max: 4 });
  pool.on('error', () => {}); // dropping the database may end a session before the pool has
  const people: pg.Client[] = [];
  return {
    database,
    owner: owner.url,
    pool,
    query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, [...values])).rows,
    connectAs: async (role) => {
      const person = await database.createRole();
      if (role !== undefined) await database.query(`grant ${role} to ${person.name}`);
      const client = new pg.Client({ connectionString: person.url });
      await client.connect();
      people.push(client);
      return client;
    },
    close: async () => {
      await pool.end();
      for (const person of people) await person.end();
      await database.drop();
    },
  };
}
