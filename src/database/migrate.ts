import { readdir, readFile } from 'node:fs/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration';
import type pg from 'pg';
import { version } from '../version.ts';
import { inFile } from './in-file.ts';
import { SchemaMismatch } from './schema-mismatch.ts';
import { sqlstate } from './sqlstate.ts';
import type { Queryable } from './transaction.ts';

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
  const done = (await doneMigrations(pool)) ?? [];
  const names = Object.keys(await new SqlFiles().getMigrations()).filter((name) => !done.includes(name));
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(`${name}.sql`, folder), 'utf8') })),
  );
}

/** The migrations of this version, as they were when it was started: a newer one may be put in its place meanwhile. */
let known: readonly string[] | undefined;

/**
 * In what the tables differ from those that this version knows, in a sentence that says what to do; undefined where they
 * are the same.
 */
export async function schemaMismatch(database: Queryable): Promise<string | undefined> {
  known ??= Object.keys(await new SqlFiles().getMigrations());
  const done = await doneMigrations(database);
  if (done === undefined) return 'nothing was applied to this database yet; run `staffetta apply`';
  const newer = done.filter((name) => !known?.includes(name));
  if (newer.length > 0)
    return `the tables were brought to a newer version of Staffetta (${newer.join(', ')}) than this daemon's, ${version}; it does nothing until it is restarted with that one`;
  const missing = known.filter((name) => !done.includes(name));
  if (missing.length > 0)
    return `the tables are of an older version of Staffetta than ${version} (missing: ${missing.join(', ')}); run \`staffetta apply\``;
  return undefined;
}

/** The migrations that were run, by name; undefined where there is no Staffetta at all. */
async function doneMigrations(database: Queryable): Promise<string[] | undefined> {
  try {
    const { rows } = await database.query<{ name: string }>(
      'select name from staffetta.kysely_migration order by name',
    );
    return rows.map(({ name }) => name);
  } catch (error) {
    if (/^(42P01|3F000)$/.test(sqlstate(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Brings the tables to the newest version. Answers with the names of the migrations that were run. Throws SchemaMismatch
 * where they are of a newer version.
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const mine = Object.keys(await new SqlFiles().getMigrations());
  const newer = ((await doneMigrations(pool)) ?? []).filter((name) => !mine.includes(name));
  if (newer.length > 0)
    throw new SchemaMismatch(
      `The tables were brought to a newer version of Staffetta (${newer.join(', ')}) than this one, ${version}. Use that one.`,
    );
  const { error, results } = await createMigrator(pool).migrateToLatest();
  if (error) throw error;
  return (results ?? []).filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
}
