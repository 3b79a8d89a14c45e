/** A database with the parts of the schema that desired state needs, and what `apply` does for mappings. */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { type Config, config } from '../../src/config/schema.ts';
import { connectionOptions } from '../../src/database/pool.ts';
import { checkMappings } from '../../src/desired/check.ts';
import { compileDesired } from '../../src/desired/compile.ts';
import { createDatabase } from '../setup/database.ts';
import { migrations } from '../setup/migrations.ts';

const files = ['sql/010-value.sql', 'sql/020-rfc4514.sql', 'sql/030-desired.sql', 'sql/110-route.sql'];

export interface Fixture {
  readonly client: pg.Client;
  readonly url: string;
  /** Runs one statement and returns its rows. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The only column of the only row. */
  value(sql: string, values?: readonly unknown[]): Promise<unknown>;
  /** Checks the configuration and makes its desired views, in one transaction. Fails on any problem. */
  apply(config: Config): Promise<void>;
  /** A role that may log in and nothing else, dropped with the database. */
  createRole(): Promise<{ name: string; url: string }>;
  close(): Promise<void>;
}

export async function createFixture(): Promise<Fixture> {
  const database = await createDatabase();
  const client = new pg.Client(connectionOptions(database.url, 'test'));
  await client.connect();
  await client.query('create schema staffetta; create schema registry');
  for (const migration of await migrations()) await client.query(migration);
  for (const file of files)
    await client.query(await readFile(new URL(`../../${file}`, import.meta.url), { encoding: 'utf8' }));
  const query = async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
    (await client.query<Row>(sql, [...values])).rows;
  return {
    client,
    url: database.url,
    query,
    value: async (sql, values) => {
      const [row, ...more] = await query<Record<string, unknown>>(sql, values);
      const [value, ...others] = Object.values(row ?? {});
      if (!row || more.length > 0 || others.length > 0) throw new Error(`expected one row with one column: ${sql}`);
      return value;
    },
    apply: async (applied) => {
      await client.query('begin');
      try {
        const { problems, views } = await checkMappings(client, applied);
        if (problems.length > 0) throw new Error(JSON.stringify(problems));
        for (const { make } of compileDesired(applied, views))
          for (const statement of make) await client.query(statement);
        for (const [target, { entities }] of Object.entries(applied.targets)) {
          await client.query(`insert into staffetta.target (target, type) values ($1, 'ldap') on conflict do nothing`, [
            target,
          ]);
          for (const entity of Object.keys(entities))
            await client.query('insert into staffetta.route (target, entity) values ($1, $2) on conflict do nothing', [
              target,
              entity,
            ]);
        }
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    },
    createRole: () => database.createRole(),
    close: async () => {
      await client.end();
      await database.drop();
    },
  };
}

/** A configuration with one ldap target `directory`; an entity's sources do not matter here. */
export function configure(
  entities: Record<string, { view: string; key: string }>,
  mappings: Record<string, Record<string, unknown>>,
): Config {
  return config.parse({
    version: 1,
    database: { url: 'postgres://localhost/registry' },
    entities: Object.fromEntries(
      Object.entries(entities).map(([name, entity]) => [name, { ...entity, sources: { 'registry.person': 'id' } }]),
    ),
    targets: {
      directory: {
        type: 'ldap',
        url: 'ldap://localhost',
        entities: mappings,
      },
    },
  });
}
