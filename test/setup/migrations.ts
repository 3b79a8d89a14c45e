import { readdir, readFile } from 'node:fs/promises';

const folder = new URL('../../migrations/', import.meta.url);

/** The names of the migrations, in order. */
export async function migrationNames(): Promise<string[]> {
  return (await readdir(folder)).map((file) => file.replace(/\.sql$/, '')).sort();
}

/** What the migrations do, in order. */
export async function migrations(): Promise<string[]> {
  return Promise.all((await migrationNames()).map((name) => readFile(new URL(`${name}.sql`, folder), 'utf8')));
}
