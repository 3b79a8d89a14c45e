import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import type { Generated } from '../database/generated.ts';
import { pendingMigrations } from '../database/migrations.ts';
import { generate, hashOfObject, objectKey, readGenerated } from './generate.ts';
import { inspect } from './inspect.ts';
import { staleObjects } from './objects.ts';

/**
 * The SQL that `apply` would run now, a text for each step; nothing if the database is as the configuration says. Reads
 * and checks as `apply` does (throws ConfigError likewise), and changes nothing. What `apply` writes into its own tables
 * (targets, routes, rescans owed) is not part of it.
 */
export async function dryRun(pool: pg.Pool, loaded: LoadedConfig): Promise<string[]> {
  const wanted = await generate(loaded.config, await inspect(pool, loaded));
  const migrations = await pendingMigrations(pool);
  const { rows } = await pool.query<{ there: boolean }>(
    `select to_regclass('staffetta.generated') is not null as there`,
  );
  const before = rows[0]?.there ? await readGenerated(pool) : new Map<string, string>();
  const isNew = (object: Generated, hash: string) => before.get(objectKey(object.kind, object.name)) !== hash;
  const others = [...wanted.keys.map(({ object }) => object), ...wanted.scopes, ...wanted.desired];
  const objects = [
    ...wanted.captures
      .filter(({ source, object }) => isNew(object, hashOfObject(object, source.relation)))
      .map(({ object }) => object),
    ...others.filter((object) => isNew(object, hashOfObject(object))),
  ];
  const libraryChanged = before.get(objectKey('library', 'sql')) !== wanted.library.hash;
  return [
    ...(before.size === 0 ? ['create schema if not exists staffetta;'] : []),
    ...migrations.map(({ name, text }) => `-- migrations/${name}.sql\n${text.trim()}`),
    ...(before.size === 0
      ? [`-- The schema graphile_worker is made and kept by graphile-worker's own migrations.`]
      : []),
    ...(libraryChanged
      ? [
          ...wanted.library.files.map(({ name, text }) => `-- sql/${name}\n${text.trim()}`),
          'select staffetta.ensure_journal_partitions();',
        ]
      : []),
    ...objects.map(
      ({ kind, name, make }) => `-- ${kind} ${name}\n${make.map((statement) => `${statement};`).join('\n')}`,
    ),
    ...staleObjects(
      before,
      ['capture', 'keys', 'scope', 'desired'],
      [...wanted.captures.map(({ object }) => object), ...others],
    ).map(
      ({ kind, name, remove }) =>
        `-- ${kind} ${name} is no longer configured\n${remove.map((statement) => `${statement};`).join('\n')}`,
    ),
  ];
}
