import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { inFile } from '../database/in-file.ts';
import { pendingMigrations } from '../database/migrations.ts';
import { mappingsOf } from '../desired/mapping.ts';
import { generate, objectKey, readGenerated, type Wanted } from './generate.ts';
import { inspect } from './inspect.ts';
import { withShortLocks } from './lock.ts';
import { makeObjects } from './objects.ts';
import { recordModes, recordRoutes } from './record.ts';

/** What a configuration would have done to the entries of an entity on a target. */
export interface PlannedRoute {
  readonly target: string;
  readonly entity: string;
  /** Why its desired state cannot be read with this configuration; then nothing else is known. */
  readonly error: string | null;
  /** Operation → number of keys. */
  readonly operations: Readonly<Record<string, number>>;
  /** Attribute → number of entries in which it would be changed. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Some of each operation, secrets masked. */
  readonly samples: readonly Sample[];
  /** What the guard would hold. */
  readonly guard: readonly string[];
}

export interface Sample {
  readonly operation: string;
  readonly key: string;
  readonly remote_id: string | null;
  readonly changes: readonly { readonly attribute: string | null; readonly before: unknown; readonly after: unknown }[];
}

/** What is no longer configured keeps its entries: how many. */
export interface PlannedRelease {
  readonly target: string;
  readonly entity: string;
  readonly links: number;
}

export interface ApplyPlan {
  readonly routes: readonly PlannedRoute[];
  readonly released: readonly PlannedRelease[];
}

/**
 * What the configuration would do on each target if it were applied now, with the data and links of this moment. It is
 * installed for that in a transaction which is undone. Meanwhile deliveries of routes whose mapping it changes wait. Throws
 * ConfigError as `apply` does.
 */
export async function planApply(pool: pg.Pool, loaded: LoadedConfig): Promise<ApplyPlan> {
  const wanted = await generate(loaded.config, await inspect(pool, loaded));
  const migrations = await pendingMigrations(pool);
  return await withShortLocks(pool, 'the schema staffetta', async (client) => {
    await client.query('savepoint staffetta_plan');
    try {
      await client.query('create schema if not exists staffetta');
      for (const { name, text } of migrations) await inFile(`migrations/${name}.sql`, text, (sql) => client.query(sql));
      await install(client, loaded, wanted);
      return { routes: await planRoutes(client, loaded), released: await released(client, loaded) };
    } finally {
      await client.query('rollback to savepoint staffetta_plan');
    }
  });
}

/** Makes what desired states are read through. Nothing else of the configuration has to be there. */
async function install(client: pg.ClientBase, { config }: LoadedConfig, wanted: Wanted): Promise<void> {
  const before = await readGenerated(client);
  if (before.get(objectKey('library', 'sql')) !== wanted.library.hash)
    for (const { name, text } of wanted.library.files) await inFile(`sql/${name}`, text, (sql) => client.query(sql));
  await makeObjects(client, before, wanted.desired);
  await recordModes(client, config);
  await recordRoutes(client, config, { libraryChanged: false, entities: new Set(), remapped: new Set() });
}

async function planRoutes(client: pg.ClientBase, { config }: LoadedConfig): Promise<PlannedRoute[]> {
  const planned: PlannedRoute[] = [];
  for (const { target, entity } of mappingsOf(config)) {
    const { rows } = await client.query<Omit<PlannedRoute, 'target' | 'entity'>>(
      'select error, operations, attributes, samples, guard from staffetta.plan_route($1, $2)',
      [target, entity],
    );
    planned.push(...rows.map((row) => ({ target, entity, ...row })));
  }
  return planned;
}

async function released(client: pg.ClientBase, { config }: LoadedConfig): Promise<PlannedRelease[]> {
  const { rows } = await client.query<PlannedRelease>(
    `select l.target, l.entity, count(*)::float8 as links from staffetta.link l
     where not exists (select from jsonb_to_recordset($1) as w(target text, entity text) where (w.target, w.entity) = (l.target, l.entity))
     group by 1, 2 order by 1, 2`,
    [JSON.stringify(mappingsOf(config).map(({ target, entity }) => ({ target, entity })))],
  );
  return rows;
}
