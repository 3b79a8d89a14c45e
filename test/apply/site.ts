/**
 * A database that Staffetta was applied to, as it stands at an administrator's: the tables belong to somebody else, and
 * the role that runs `apply` is no superuser and has what docs/grants.md says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Applied, apply } from '../../src/apply/apply.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { createPool } from '../../src/database/pool.ts';
import { createDatabase, type Database } from '../setup/database.ts';
import { writeWhole } from '../setup/whole-file.ts';

export interface Site {
  readonly database: Database;
  /** The role that runs `apply`, and a pool of its connections. */
  readonly owner: { readonly name: string; readonly url: string };
  readonly pool: pg.Pool;
  /** Rows of a statement that the superuser runs. */
  readonly query: Database['query'];
  /** Makes tables and views as their owner, and gives Staffetta's role its rights on them. */
  make(sql: string): Promise<void>;
  /** A configuration: an object, or the text of `staffetta.yml`. */
  load(configuration: object | string): Promise<LoadedConfig>;
  apply(configuration: object | string): Promise<Applied>;
  /** Takes the events that are there, oldest first, each as `U registry.person 42`. */
  events(): Promise<string[]>;
  /** A session, ended with the site. Default: the superuser's. */
  connect(url?: string): Promise<pg.Client>;
  close(): Promise<void>;
}

/** Creates the schema `registry`, with the tables and views of `sql` in it. */
export async function createSite(sql = ''): Promise<Site> {
  const database = await createDatabase();
  const owner = await database.createRole();
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-site-'));
  const sessions: pg.Client[] = [];
  const pool = createPool(owner.url, 'test', 6);

  const make = async (statements: string) => {
    await database.query(statements);
    await database.query(`grant select, trigger on all tables in schema registry to ${owner.name}`);
  };
  const load = async (configuration: object | string) => {
    const file = join(folder, 'staffetta.yml');
    await writeWhole(file, typeof configuration === 'string' ? configuration : JSON.stringify(configuration, null, 1));
    return loadConfig(file, { DATABASE_URL: owner.url });
  };
  await database.query('create schema registry');
  await database.query(`grant create on database ${database.name} to ${owner.name}`);
  await database.query(`grant usage on schema registry to ${owner.name}`);
  if (sql !== '') await make(sql);

  return {
    database,
    owner,
    pool,
    query: database.query,
    make,
    load,
    apply: async (configuration) => apply(pool, await load(configuration)),
    events: async () => {
      const rows = await database.query<{ said: string }>(
        `with gone as (delete from staffetta.event returning *)
         select concat_ws(' ', op, source, array_to_string(cols, ',', 'null')) as said from gone order by seq`,
      );
      return rows.map(({ said }) => said);
    },
    connect: async (url = database.url) => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => {}); // a test may end the session
      await client.connect();
      sessions.push(client);
      return client;
    },
    close: async () => {
      for (const session of sessions) await session.end().catch(() => {});
      await pool.end();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}

interface Entity {
  readonly view: string;
  readonly key?: string;
  readonly sources: Record<string, unknown>;
}

/** A configuration in which every entity goes to every target (default: `directory`) under the name of its key. */
export function configuration(entities: Record<string, Entity>, targets: readonly string[] = ['directory']) {
  const mappings = Object.entries(entities).map(([name, { key = 'id' }]) => [
    name,
    { dn: `uid={${key}},ou=${name},dc=example,dc=org`, attributes: { objectClass: { values: ['account'] } } },
  ]);
  return {
    version: 1,
    database: { url: `\${DATABASE_URL}` },
    entities: Object.fromEntries(Object.entries(entities).map(([name, entity]) => [name, { key: 'id', ...entity }])),
    targets: Object.fromEntries(
      targets.map((target) => [
        target,
        { type: 'ldap', url: 'ldap://localhost', entities: Object.fromEntries(mappings) },
      ]),
    ),
  };
}
