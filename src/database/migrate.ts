import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration';
import type pg from 'pg';
import { version } from '../version.ts';
import { inFile } from './in-file.ts';
import { doneMigrations, migrationNames, migrationText } from './migrations.ts';
import { SchemaMismatch } from './schema-mismatch.ts';

/** `migrations/*.sql` as Kysely migrations, named after their files. */
class SqlFiles implements MigrationProvider {
  async getMigrations(): Promise<Record<string, Migration>> {
    return Object.fromEntries(
      (await migrationNames()).map((name): [string, Migration] => [
        name,
        {
          up: async (db) => {
            const text = await migrationText(name);
            await inFile(`migrations/${name}.sql`, text, (statements) => sql.raw(statements).execute(db));
          },
        },
      ]),
    );
  }
}

/**
 * Brings the tables to the newest version. Answers with the names of the migrations that were run. Throws SchemaMismatch
 * where they are of a newer version.
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const mine = await migrationNames();
  const newer = ((await doneMigrations(pool)) ?? []).filter((name) => !mine.includes(name));
  if (newer.length > 0)
    throw new SchemaMismatch(
      `The tables were brought to a newer version of Staffetta (${newer.join(', ')}) than this one, ${version}. Use that one.`,
    );
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const migrator = new Migrator({ db, provider: new SqlFiles(), migrationTableSchema: 'staffetta' });
  const { error, results } = await migrator.migrateToLatest();
  if (error) throw error;
  return (results ?? []).filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
}
