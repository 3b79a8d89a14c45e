/** The migrations that this version has, and those that a database has seen. To run them takes a library: `migrate.ts`. */
import { readdir, readFile } from 'node:fs/promises';
import { version } from '../version.ts';
import { sqlstate } from './sqlstate.ts';
import type { Queryable } from './transaction.ts';

/** The folder of the migrations: numbered files, each applied once, in order of name. */
const folder = new URL('../../migrations/', import.meta.url);

/** The names of the migrations of this version, in order. */
export async function migrationNames(): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return files.map((file) => file.replace(/\.sql$/, ''));
}

/** The SQL of a migration. */
export function migrationText(name: string): Promise<string> {
  return readFile(new URL(`${name}.sql`, folder), 'utf8');
}

/** The migrations that `migrate` would run, with their SQL. Changes nothing. */
export async function pendingMigrations(database: Queryable): Promise<{ name: string; text: string }[]> {
  const done = (await doneMigrations(database)) ?? [];
  const names = (await migrationNames()).filter((name) => !done.includes(name));
  return Promise.all(names.map(async (name) => ({ name, text: await migrationText(name) })));
}

/** The migrations of this version, as they were when it was started: a newer one may be put in its place meanwhile. */
let known: readonly string[] | undefined;

/**
 * In what the tables differ from those that this version knows, in a sentence that says what to do; undefined where they
 * are the same.
 */
export async function schemaMismatch(database: Queryable): Promise<string | undefined> {
  known ??= await migrationNames();
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
export async function doneMigrations(database: Queryable): Promise<string[] | undefined> {
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
