/**
 * Brings a database to what the configuration says. The order matters: a table is captured before the rescan is owed
 * that finds what was written earlier, and the new mapping, the revision and the debts of rescans appear in one
 * transaction (PROTOCOL C7), so that no daemon ever works with half of it. Running it again changes nothing.
 */
import { runMigrations } from 'graphile-worker';
import type pg from 'pg';
import { removeCapture } from '../capture/trigger.ts';
import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { TargetConfig } from '../config/schema.ts';
import { inFile } from '../database/in-file.ts';
import { migrate } from '../database/migrate.ts';
import { explainLoad } from '../desired/explain.ts';
import { mappingsOf } from '../desired/mapping.ts';
import { createHooks } from '../hooks/hooks.ts';
import { createLog } from '../log.ts';
import { createTarget, type Surroundings } from '../targets/registry.ts';
import { TargetError } from '../targets/target.ts';
import { recordFeeds } from './feeds.ts';
import { generate, hashOfObject, objectKey, readGenerated, type Wanted } from './generate.ts';
import { inspect } from './inspect.ts';
import { withShortLocks } from './lock.ts';
import { makeObjects, remember, removeObjects, staleObjects } from './objects.ts';
import { recordPasswords } from './passwords.ts';
import { type ModeChange, type RouteChange, recordTargets } from './record.ts';
import { recordSettings } from './settings.ts';
import { recordWriteBacks } from './write-backs.ts';

/** What an `apply` did. */
export interface Applied {
  readonly migrations: readonly string[];
  /** Tables that are captured now and were not, or not in this way. */
  readonly captured: readonly string[];
  /** Tables that are no longer captured. */
  readonly released: readonly string[];
  /** Targets whose mode is another than before. */
  readonly modes: readonly ModeChange[];
  /** Routes whose mapping or sources are new or changed: they owe a rescan. */
  readonly routes: readonly RouteChange[];
  /** Targets that are no longer configured: links kept, nothing sent. */
  readonly retired: readonly string[];
  /** What is allowed but unwise. */
  readonly warnings: readonly string[];
}

/** Locks out a second `apply` on the same database. */
const applyLock = 7272003;

export async function apply(pool: pg.Pool, loaded: LoadedConfig): Promise<Applied> {
  const guard = await pool.connect();
  try {
    await guard.query('select pg_advisory_lock($1)', [applyLock]);
    return await applyAlone(pool, loaded);
  } finally {
    guard.release(true); // ends the session, and the lock with it
  }
}

async function applyAlone(pool: pg.Pool, loaded: LoadedConfig): Promise<Applied> {
  const inspected = await inspect(pool, loaded);
  const wanted = await generate(loaded.config, inspected);
  const migrations = await migrate(pool);
  await runMigrations({ pgPool: pool });
  await withShortLocks(pool, 'the schema staffetta', async (client) => {
    for (const { name, text } of wanted.library.files) await inFile(`sql/${name}`, text, (sql) => client.query(sql));
    await client.query('select staffetta.ensure_journal_partitions()');
  });
  const before = await readGenerated(pool);
  const captured = await capture(pool, wanted, before);
  const mapped = await withShortLocks(pool, 'the schema staffetta', (client) =>
    map(client, loaded, wanted, before, captured),
  );
  const released = await releaseSources(pool, wanted);
  const found = [...(await warnings(pool, loaded, inspected.keyTypes)), ...(await mistakesOfTargets(loaded))];
  return { migrations, captured, released, ...mapped, warnings: found };
}

/** Installs triggers, each table in a transaction of its own that waits only shortly for it. */
async function capture(pool: pg.Pool, wanted: Wanted, before: ReadonlyMap<string, string>): Promise<string[]> {
  const captured: string[] = [];
  for (const { source, object } of wanted.captures) {
    const hash = hashOfObject(object, source.relation);
    if (before.get(objectKey('capture', object.name)) === hash) continue;
    await withShortLocks(pool, `table ${source.name}`, async (client) => {
      for (const statement of object.make) await client.query(statement);
      await client.query(
        `insert into staffetta.source (source, relation, columns, notify) values ($1, $2, $3, $4)
         on conflict (source) do update set relation = excluded.relation, columns = excluded.columns, notify = excluded.notify, error = null, error_at = null`,
        [source.name, source.relation, source.columns.map(({ name }) => name), source.notify],
      );
      // In this transaction: should the mapping's not come through, the next apply would find the table captured already.
      await client.query(
        `with owing as (select target, entity from staffetta.route where entity = any($1) order by target, entity for update)
         update staffetta.route r set rescan = r.rescan + 1 from owing o where (r.target, r.entity) = (o.target, o.entity)`,
        [source.feeds.map(({ entity }) => entity)],
      );
      await remember(client, 'capture', object.name, hash);
    });
    captured.push(source.name);
  }
  return captured;
}

/** The new mapping in one transaction: functions and views, targets and routes, revision, rescans owed. */
async function map(
  client: pg.ClientBase,
  loaded: LoadedConfig,
  wanted: Wanted,
  before: ReadonlyMap<string, string>,
  captured: readonly string[],
): Promise<Pick<Applied, 'modes' | 'routes' | 'retired'>> {
  const libraryChanged = before.get(objectKey('library', 'sql')) !== wanted.library.hash;
  await remember(client, 'library', 'sql', wanted.library.hash);
  const entities = new Set(
    wanted.captures
      .filter(({ source }) => captured.includes(source.name))
      .flatMap(({ source }) => source.feeds.map(({ entity }) => entity)),
  );
  const keys = await makeObjects(
    client,
    before,
    wanted.keys.map(({ object }) => object),
  );
  for (const { entity, object } of wanted.keys) if (keys.includes(object)) entities.add(entity);
  await makeObjects(client, before, wanted.scopes);
  const remapped = new Set((await makeObjects(client, before, wanted.desired)).map(({ name }) => name));
  const all = [...wanted.keys.map(({ object }) => object), ...wanted.scopes, ...wanted.desired];
  await removeObjects(client, staleObjects(before, ['keys', 'scope', 'desired'], all));
  await recordFeeds(
    client,
    wanted.captures.map(({ source }) => source),
  );
  await recordSettings(client, loaded.config);
  const recorded = await recordTargets(client, loaded, { libraryChanged, entities, remapped });
  await recordWriteBacks(client, mappingsOf(loaded.config));
  await recordPasswords(client, loaded);
  return recorded;
}

/** Takes the triggers from tables that are no longer configured. */
async function releaseSources(pool: pg.Pool, wanted: Wanted): Promise<string[]> {
  const { rows } = await pool.query<{ source: string }>(
    'select source from staffetta.source where source <> all($1) order by 1',
    [wanted.captures.map(({ source }) => source.name)],
  );
  for (const { source } of rows) {
    await withShortLocks(pool, `table ${source}`, async (client) => {
      for (const statement of removeCapture(source)) await client.query(statement);
      await client.query('delete from staffetta.event where source = $1', [source]);
      await client.query('delete from staffetta.source where source = $1', [source]);
      await client.query(`delete from staffetta.generated where kind = 'capture' and name = $1`, [source]);
    });
  }
  return rows.map(({ source }) => source);
}

/** What is wrong with files of the targets' own keeps nobody else from being applied. */
async function mistakesOfTargets({ config, folder }: LoadedConfig): Promise<string[]> {
  const found: string[] = [];
  const log = createLog();
  for (const [name, settings] of Object.entries(config.targets)) {
    for (const mistake of await mistakesOf(settings, { name, folder, log })) found.push(`target ${name}: ${mistake}`);
    const hooks = createHooks([...config.hooks, ...settings.hooks], settings, folder);
    for (const mistake of (await hooks?.mistakes()) ?? []) found.push(`target ${name}: ${mistake}`);
  }
  return found;
}

/** Those of files of its own, or what keeps it from being opened. */
async function mistakesOf(settings: TargetConfig, place: Surroundings): Promise<readonly string[]> {
  try {
    const target = await createTarget(settings, place);
    try {
      return (await target.mistakes?.()) ?? [];
    } finally {
      await target.close();
    }
  } catch (error) {
    if (error instanceof TargetError) return [error.message];
    throw error;
  }
}

async function warnings(
  pool: pg.Pool,
  loaded: LoadedConfig,
  keyTypes: ReadonlyMap<string, { sqlType: string }>,
): Promise<string[]> {
  const client = await pool.connect();
  try {
    const found: string[] = [];
    for (const mapping of mappingsOf(loaded.config)) {
      const type = keyTypes.get(mapping.entity);
      const message = type && (await explainLoad(client, mapping, type.sqlType));
      if (message !== undefined) found.push(formatProblem(loaded.place({ path: mapping.viewPath, message })));
    }
    return found;
  } finally {
    client.release();
  }
}
