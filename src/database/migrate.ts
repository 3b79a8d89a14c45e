import { readdir, readFile } from 'node:fs/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration';
import type pg from 'pg';
import { inFile } from './in-file.ts';

/** The folder of the migrations: numbered files, each applied once, in order of name. */
const folder = new URL('../../migrations/', import.meta.url);

/** `migrations/*.sql` as Kysely migrations, named after their files. */
class SqlFiles implements MigrationProvider {
  async getMigrations(): Promise<Record<string, Migration>> {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
    return Object.fromEntries(
      files.map((file): [string, Migration] => [
        file.replace(/\.sql$/, ''),
        {
          up: async (db) => {
            const text = await readFile(new URL(file, folder), 'utf8');
            await inFile(`migrations/${file}`, text, (statements) => sql.raw(statements).execute(db));
          },
        },
      ]),
    );
  }
}

function createMigrator(pool: pg.Pool): Migrator {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return new Migrator({ db, provider: new SqlFiles(), migrationTableSchema: 'staffetta' });
}

/** The migrations that `migrate` would run, with their SQL. Changes nothing. */
export async function pendingMigrations(pool: pg.Pool): Promise<{ name: string; text: string }[]> {
  const exists = await pool.query<{ done: boolean }>(
    `select to_regclass('staffetta.kysely_migration') is not null as done`,
  );
  const done = exists.rows[0]?.done
    ? (await pool.query<{ name: string }>('select name from staffetta.kysely_migration')).rows.map(({ name }) => name)
    : [];
  const names = Object.keys(await new SqlFiles().getMigrations()).filter((name) => !done.includes(name));
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(`${name}.sql`, folder), 'utf8') })),
  );
}

/** Brings the tables to the newest version. Answers with the names of the migrations that were run. */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const { error, results } = await createMigrator(pool).migrateToLatest();
  if (error) throw error;
  return (results ?? []).filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
}
