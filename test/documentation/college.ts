/**
 * A university as docs/administration.md finds it: PostgreSQL with the registry of people and teams, and an OpenLDAP
 * directory that other programs have filled. Servers of its own, so that everything has the name it has on the page.
 */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { startPostgres } from '../../src/demo/postgres.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { oldDirectory, people, teams } from './people.ts';

export interface College {
  readonly directory: Directory;
  /** The environment that `staffetta.yml` names. */
  readonly env: Readonly<Record<string, string>>;
  /** The session of a role: `postgres`, `dba`, `registrar_app`, `carla` or `staffetta_owner`. */
  session(role: string): Promise<pg.Client>;
  close(): Promise<void>;
}

const suffix = 'dc=example,dc=org';
const account = { dn: `cn=staffetta,${suffix}`, password: 'relay' };

const registry = `
  create schema registry;
  create table registry.person (
    id bigint primary key, login text not null, given_name text not null, surname text not null, status text not null,
    mail text, phone text, password_hash text);
  create table registry.team (id bigint primary key, name text not null);
  create table registry.member (
    team_id bigint references registry.team on delete cascade, person_id bigint references registry.person on delete cascade,
    primary key (team_id, person_id));
  create index on registry.member (person_id);
  create view registry.v_person as select * from registry.person where status in ('student', 'staff');
  create view registry.v_team as
    select t.id, t.name, array(select m.person_id from registry.member m where m.team_id = t.id) as members from registry.team t;
  grant usage on schema registry to registrar_app, staffetta_owner, carla;
  grant select, insert, update, delete on all tables in schema registry to registrar_app;
  grant select, trigger on all tables in schema registry to staffetta_owner;
  grant select on all tables in schema registry to carla;
  alter default privileges in schema registry grant select on tables to staffetta_owner;`;

const fill = `
  insert into registry.person select p.* from jsonb_populate_recordset(null::registry.person, $1) p`;
const fillTeams = `
  with given as (select * from jsonb_to_recordset($1) t (id bigint, name text, members bigint[])),
  made as (insert into registry.team select id, name from given)
  insert into registry.member select id, unnest(members) from given`;

const slapd = {
  global: ['sizelimit 500'],
  database: [
    `limits dn.exact="${account.dn}" size=unlimited time=unlimited`,
    `access to * by dn.exact="${account.dn}" write by * break`,
  ],
};

export async function createCollege(): Promise<College> {
  const [postgres, directory] = await Promise.all([startPostgres({ durable: false }), createDirectory(slapd)]);
  const sessions = new Map<string, Promise<pg.Client>>();
  const close = async () => {
    for (const session of sessions.values()) await (await session).end().catch(() => {});
    await Promise.all([postgres.close(), directory.close()]);
  };
  try {
    const url = new URL(await postgres.createDatabase('university'));
    const password = url.password;
    const urlOf = (role: string) => Object.assign(new URL(url), { username: role }).href;
    const session = (role: string) => {
      const known = sessions.get(role) ?? connect(urlOf(role));
      sessions.set(role, known);
      return known;
    };
    const superuser = await session('postgres');
    await superuser.query(await readFile(new URL('../../sql/100-roles.sql', import.meta.url), 'utf8'));
    for (const role of ['dba', 'registrar_app', 'staffetta_owner', 'carla'])
      await superuser.query(`create role ${role} login password '${password}'`);
    await superuser.query(`
      grant create on database university to dba, staffetta_owner;
      grant staffetta_admin to carla;
      alter role carla set search_path = staffetta, public`);
    const dba = await session('dba');
    await dba.query(registry);
    await dba.query(fill, [JSON.stringify(people)]);
    await dba.query(fillTeams, [JSON.stringify(teams)]);
    await dba.query('analyze registry.person, registry.team, registry.member');
    await directory.add(`dn: ou=former,${suffix}\nobjectClass: organizationalUnit\nou: former

dn: ${account.dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: staffetta\nuserPassword: ${account.password}

${oldDirectory(suffix)}`);
    const env = {
      DATABASE_URL: urlOf('staffetta_owner'),
      LDAP_URL: directory.url,
      LDAP_PASSWORD: account.password,
    };
    return { directory, env, session, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Values come as PostgreSQL writes them. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => (text: string) => text } });
  client.on('error', () => {});
  await client.connect();
  return client;
}
