import type pg from 'pg';
import { removeKeys } from '../capture/keys.ts';
import { removeCapture } from '../capture/trigger.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Generated } from '../database/generated.ts';
import { pendingMigrations } from '../database/migrate.ts';
import { removeDesired } from '../desired/compile.ts';
import { generate, hashOfObject, objectKey, readGenerated } from './generate.ts';
import { inspect } from './inspect.ts';

/**
 * The SQL that `apply` would run now, a text for each step; nothing if the database is as the configuration says. Reads
 * and checks as `apply` does (throws ConfigError likewise), and changes nothing.
 */
export async function dryRun(pool: pg.Pool, loaded: LoadedConfig): Promise<string[]> {
  const wanted = await generate(loaded.config, await inspect(pool, loaded));
  const migrations = await pendingMigrations(pool);
  const { rows } = await pool.query<{ there: boolean }>(
    `select to_regclass('staffetta.generated') is not null as there`,
  );
  const before = rows[0]?.there ? await readGenerated(pool) : new Map<string, string>();
  const isNew = (object: Generated, hash: string) => before.get(objectKey(object.kind, object.name)) !== hash;
  const objects = [
    ...wanted.captures
      .filter(({ source, object }) => isNew(object, hashOfObject(object, source.relation)))
      .map(({ object }) => object),
    ...wanted.keys.map(({ object }) => object).filter((object) => isNew(object, hashOfObject(object))),
    ...wanted.desired.filter((object) => isNew(object, hashOfObject(object))),
  ];
  const libraryChanged = before.get(objectKey('library', 'sql')) !== wanted.library.hash;
  return [
    ...migrations.map(({ name, text }) => `-- migrations/${name}.sql\n${text.trim()}`),
    ...(before.size === 0
      ? [`-- The schema graphile_worker is made and kept by graphile-worker's own migrations.`]
      : []),
    ...(libraryChanged ? wanted.library.files.map(({ name, text }) => `-- sql/${name}\n${text.trim()}`) : []),
    ...objects.map(
      ({ kind, name, make }) => `-- ${kind} ${name}\n${make.map((statement) => `${statement};`).join('\n')}`,
    ),
    ...stale(before, [
      ...wanted.captures.map(({ object }) => object),
      ...wanted.keys.map(({ object }) => object),
      ...wanted.desired,
    ]),
  ];
}

/** What would be removed because it is no longer configured. */
function stale(before: ReadonlyMap<string, string>, wanted: readonly Generated[]): string[] {
  const kept = new Set(wanted.map(({ kind, name }) => objectKey(kind, name)));
  const removals = { capture: removeCapture, keys: removeKeys, desired: removeDesired };
  return Object.entries(removals).flatMap(([kind, remove]) =>
    [...before.keys()]
      .filter((key) => key.startsWith(objectKey(kind, '')) && !kept.has(key))
      .map((key) => {
        const name = key.slice(objectKey(kind, '').length);
        return `-- ${kind} ${name} is no longer configured\n${remove(name)
          .map((statement) => `${statement};`)
          .join('\n')}`;
      }),
  );
}
