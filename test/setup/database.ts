/** Databases for tests: each is empty and belongs to who created it, all are in the one server of the test run. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface Database {
  /** Connection string of the superuser. */
  readonly url: string;
  readonly name: string;
  /** Runs one statement as the superuser, in a transaction of its own, and returns its rows. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Creates a role that may log in and nothing else. Roles belong to the whole server, which other files use at the same
   * time: so its name is not for the test to choose. It is dropped with the database.
   */
  createRole(): Promise<{ name: string; url: string }>;
  /** Drops the database, whoever is still connected, and its roles. */
  drop(): Promise<void>;
}

const unique = (prefix: string) => `${prefix}_${randomBytes(6).toString('hex')}`;

async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Creates an empty database (UTF-8, from template0). */
export async function createDatabase(): Promise<Database> {
  const server = inject('postgresUrl');
  const name = unique('test');
  await administer(server, (client) => client.query(`create database ${name} template template0`));
  const url = new URL(server);
  url.pathname = name;

  const pool = new pg.Pool({ connectionString: url.href, max: 2, allowExitOnIdle: true });
  // A test may restart the server or end sessions: idle ones are not missed.
  pool.on('error', () => undefined);
  const roles: string[] = [];

  return {
    url: url.href,
    name,
    query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(sql, [...values])).rows,
    createRole: async () => {
      const role = unique('role');
      const password = randomBytes(12).toString('hex');
      await pool.query(`create role ${role} login password '${password}'`);
      roles.push(role);
      return { name: role, url: Object.assign(new URL(url), { username: role, password }).href };
    },
    drop: async () => {
      await pool.end();
      await administer(server, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`);
        for (const role of roles) await client.query(`drop role ${role}`);
      });
    },
  };
}
