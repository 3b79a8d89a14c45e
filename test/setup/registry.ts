/**
 * A small registry of people and teams, applied to a database of its own and followed by a directory of its own. What
 * the directory should hold is worked out here, from the tables and by hand, never by Staffetta.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { apply } from '../../src/apply/apply.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { Daemon, type DaemonOptions } from '../../src/daemon.ts';
import { createPool } from '../../src/database/pool.ts';
import type { SlapdOptions } from '../../src/demo/slapd.ts';
import { createDatabase } from './database.ts';
import { createDirectory, type Directory } from './directory.ts';
import { type Process, spawnStaffetta } from './process.ts';
import { until } from './until.ts';

export type { Process } from './process.ts';

/** The registry itself: schema `registry`, its tables and the views of people and teams. */
export const tables = `
  create schema registry;
  create table registry.person (
    id bigint primary key, uid text, given text, surname text not null default 'Rossi', room text, password text, photo bytea,
    area text not null default 'people', hidden boolean not null default false);
  create table registry.email (person_id bigint references registry.person on delete cascade, address text, primary key (person_id, address));
  create table registry.team (id bigint primary key, name text not null);
  create table registry.member (team_id bigint references registry.team on delete cascade, person_id bigint, primary key (team_id, person_id));
  create view registry.v_person as
    select p.*, array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails from registry.person p where not hidden;
  create view registry.v_team as
    select t.*, array(select m.person_id from registry.member m where m.team_id = t.id) as members from registry.team t;`;

/** How people and teams look in a directory, or in a flow for one. */
export const ldapEntities = `    entities:
      person:
        dn: "uid={uid},ou={area},\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [inetOrgPerson] }
          uid: { from: uid }
          cn: "{given?} {surname?}"
          sn: { from: surname }
          givenName: { from: given }
          mail: { from: emails }
          roomNumber: { from: room }
          employeeNumber: { from: id }
          jpegPhoto: { from: photo }
          userPassword: { from: password, secret: true }
        deprovision: delete
        removeAfter: 300ms
      team:
        dn: "cn={name},ou=groups,\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [groupOfNames] }
          cn: { from: name }
          businessCategory: { from: id }
          member: { ref: person, from: members, empty: placeholder }
        deprovision: delete
        removeAfter: 300ms
`;

const configuration = `
version: 1
database: { url: "\${DATABASE_URL}" }
entities:
  person: { view: registry.v_person, key: id, sources: { registry.person: id, registry.email: person_id } }
  team: { view: registry.v_team, key: id, sources: { registry.team: id, registry.member: team_id } }
targets:
  directory:
    type: ldap
    url: \${LDAP_URL}
    timeout: 3s
    bind: { dn: "\${LDAP_BIND_DN}", password: "\${LDAP_PASSWORD}" }
    guard: { removals: 100%, changes: 100% }
${ldapEntities}`;

/** Tunables under which nothing takes long. */
export const quick = {
  POLL_SECONDS: 0.5,
  REFERENCE_SECONDS: 0.05,
  WAIT_SECONDS: 0.05,
  WAIT_MAX_SECONDS: 0.4,
  RETRY_SECONDS: 0.05,
};

export interface Registry {
  /** Connection string of the superuser. */
  readonly url: string;
  readonly directory: Directory;
  /** The file `staffetta.yml`, and the environment that it names. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  createRole(): Promise<{ name: string; url: string }>;
  /** The configuration as the file says now. */
  load(): LoadedConfig;
  apply(): Promise<void>;
  /** Writes the file anew, each `[from, to]` put in the place of the other. */
  configure(...changes: readonly (readonly [from: string, to: string])[]): Promise<void>;
  /** Starts a daemon in this process; stopped when the test closes the registry, if not before. */
  start(options?: Partial<DaemonOptions>): Promise<Daemon>;
  /** Starts `staffetta ARGS --config FILE` as a process. */
  spawn(...args: readonly string[]): Process;
  /** Starts `staffetta run` as a process; resolves when it is at work. */
  spawnDaemon(): Promise<Process>;
  /** Waits until nothing is owed: neither events nor deliveries. */
  calm(patience?: number): Promise<void>;
  /** What the directory holds and should not, lacks, or has otherwise; empty: it is as the tables say. */
  differences(): Promise<string[]>;
  /** The person's entry, with `dn` and `entryUUID`. */
  person(id: number): Promise<Record<string, string[]> | undefined>;
  /** The team's entry. */
  team(id: number): Promise<Record<string, string[]> | undefined>;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly slapd?: SlapdOptions;
  /** A database to use instead of a new one in the server of the test run. */
  readonly database?: Pick<Registry, 'url' | 'query' | 'createRole'> & { drop(): Promise<void> };
}

/** A log that keeps its lines. */
export function keepLog(lines: string[]): DaemonOptions['log'] {
  return pino({ level: 'info', base: null }, { write: (line) => void lines.push(line) });
}

export async function createRegistry({ slapd = {}, ...options }: RegistryOptions = {}): Promise<Registry> {
  const database = options.database ?? (await createDatabase());
  const directory = await createDirectory(slapd);
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-registry-'));
  const file = join(folder, 'staffetta.yml');
  const env = {
    DATABASE_URL: database.url,
    LDAP_URL: directory.url,
    LDAP_BIND_DN: directory.bind.dn,
    LDAP_PASSWORD: directory.bind.password,
    LDAP_SUFFIX: directory.suffix,
  };
  const daemons = new Set<Daemon>();
  const processes = new Set<ChildProcess>();
  const load = () => loadConfig(file, env);
  const applyNow = async () => {
    const pool = createPool(database.url, 'test apply');
    try {
      await apply(pool, load());
    } finally {
      await pool.end();
    }
  };

  await database.query(tables);
  await writeFile(file, configuration);
  await directory.add(`dn: ou=former,${directory.suffix}\nobjectClass: organizationalUnit\nou: former\n`);
  await applyNow();
  await database.query('update staffetta.target set admitted = true');
  for (const [code, number] of Object.entries(quick))
    await database.query('update staffetta.parameter set number = $2, minimum = least(minimum, $2) where code = $1', [
      code,
      number,
    ]);

  const entries = (filter: string) => directory.entries(filter, '*', 'entryUUID', 'modifyTimestamp', 'entryCSN');
  const one = async (filter: string) => {
    const [found, ...more] = await entries(filter);
    if (more.length > 0) throw new Error(`${filter} finds ${more.length + 1} entries`);
    return found && { dn: [found[0]], ...found[1] };
  };

  const spawnProcess = (...args: readonly string[]): Process => {
    const started = spawnStaffetta([...args, '--config', file], env);
    processes.add(started.child);
    return started;
  };

  return {
    url: database.url,
    directory,
    file,
    env,
    query: database.query,
    createRole: database.createRole,
    load,
    apply: applyNow,
    configure: (...changes) =>
      writeFile(
        file,
        changes.reduce((text, [from, to]) => {
          if (!text.includes(from)) throw new Error(`the configuration does not contain ${from}`);
          return text.replace(from, to);
        }, configuration),
      ),
    start: async (given = {}) => {
      const daemon = await Daemon.start(load(), { log: pino({ level: 'silent' }), ...given });
      daemons.add(daemon);
      return daemon;
    },
    spawn: spawnProcess,
    spawnDaemon: async () => {
      const started = spawnProcess('run');
      await until(
        () => started.printed.stderr + (started.child.exitCode ?? ''),
        (text) => text.includes('"running"') && text.includes('connected to the database'),
        { what: 'that the daemon runs' },
      );
      return started;
    },
    calm: async (patience = 20_000) => {
      await until(
        () =>
          database.query<{ events: number; rescans: number; deliveries: number }>(
            `select (select count(*) from staffetta.event)::int as events,
               (select sum(rescan) from staffetta.route)::int as rescans, count(*)::int as deliveries,
               jsonb_agg(to_jsonb(d) - 'token') filter (where n <= 3) as some
             from (select d.*, row_number() over () as n from staffetta.delivery d) d`,
          ),
        ([owed]) => owed?.events === 0 && owed.rescans === 0 && owed.deliveries === 0,
        { what: 'that nothing is owed', patience },
      );
    },
    differences: () => compare(database.query, entries, directory.suffix),
    person: (id) => one(`(&(objectClass=inetOrgPerson)(employeeNumber=${id}))`),
    team: (id) => one(`(&(objectClass=groupOfNames)(businessCategory=${id}))`),
    close: async () => {
      await Promise.all([...daemons].map((daemon) => daemon.stop()));
      for (const child of processes) child.kill('SIGKILL');
      await directory.close();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}

type Entries = ReadonlyMap<string, Record<string, string[]>>;

async function compare(
  query: Registry['query'],
  entries: (filter: string) => Promise<Entries>,
  suffix: string,
): Promise<string[]> {
  const [people, teams] = [await entries('(objectClass=inetOrgPerson)'), await entries('(objectClass=groupOfNames)')];
  const rows = await query<{ id: string; area: string; attributes: Record<string, string[]> }>(
    `select p.id::text, p.area, jsonb_build_object('uid', array[p.uid], 'cn', array[concat_ws(' ', nullif(p.given, ''), p.surname)], 'sn', array[p.surname],
       'givenName', array_remove(array[nullif(p.given, '')], null), 'roomNumber', array_remove(array[nullif(p.room, '')], null),
       'userPassword', array_remove(array[nullif(p.password, '')], null),
       'jpegPhoto', array_remove(array['base64:' || translate(encode(p.photo, 'base64'), E'\\n', '')], null),
       'mail', array(select e.address from registry.email e where e.person_id = p.id)) as attributes
     from registry.person p where not p.hidden`,
  );
  const dnOf = new Map([...people].map(([dn, { employeeNumber }]) => [employeeNumber?.[0], dn]));
  const found: string[] = [];
  const differ = (what: string, there: readonly string[] | undefined, wanted: readonly string[]) => {
    const [left, right] = [there ?? [], wanted].map((values) => JSON.stringify(values.toSorted()));
    if (left !== right) found.push(`${what}: found ${left}, expected ${right}`);
  };
  differ(
    'people',
    [...people.values()].flatMap(({ employeeNumber = ['?'] }) => employeeNumber),
    rows.map(({ id }) => id),
  );
  for (const { id, area, attributes } of rows) {
    const dn = dnOf.get(id);
    if (dn === undefined) continue;
    if (!dn.endsWith(`,ou=${area},${suffix}`)) found.push(`person ${id}: is at ${dn}, expected below ou=${area}`);
    for (const [name, values] of Object.entries(attributes))
      differ(`person ${id} ${name}`, people.get(dn)?.[name], values);
  }
  const groups = await query<{ id: string; name: string; members: string[] }>(
    `select t.id::text, t.name, array(select m.person_id::text from registry.member m join registry.person p on p.id = m.person_id and not p.hidden where m.team_id = t.id) as members
     from registry.team t`,
  );
  const byId = new Map([...teams.values()].map((entry) => [entry.businessCategory?.[0], entry]));
  differ(
    'teams',
    [...teams.values()].flatMap(({ businessCategory = ['?'] }) => businessCategory),
    groups.map(({ id }) => id),
  );
  for (const { id, name, members } of groups) {
    const entry = byId.get(id);
    differ(`team ${id} cn`, entry?.cn, [name]);
    const wanted = members.map((member) => dnOf.get(member) ?? `person ${member}, who has no entry`);
    differ(`team ${id} member`, entry?.member, wanted.length > 0 ? wanted : ['cn=nobody']);
  }
  return found;
}

/** A connection of an application. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}
