/** Reconciling a registry in this process, and what it found, in short. */
import { withRoutes } from '../../src/commands/routes.ts';
import { createPool } from '../../src/database/pool.ts';
import { runOnce } from '../../src/once.ts';
import { type Adopted, type AdoptOptions, adopt } from '../../src/reconcile/adopt.ts';
import { type Reconciled, type ReconcileOptions, reconcile } from '../../src/reconcile/reconcile.ts';
import { keepLog, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

/** Reconciles one entity of the directory. */
export async function compare(
  registry: Pick<Registry, 'url' | 'load'>,
  entity: string,
  options: Partial<ReconcileOptions> = {},
): Promise<Reconciled> {
  const pool = createPool(registry.url, 'test reconcile');
  try {
    return await withRoutes(pool, registry.load(), 'directory', entity, async (session, [chosen]) => {
      if (!chosen) throw new Error(`there is no route directory ${entity}`);
      const { signal: stop } = new AbortController();
      const { destination, route } = chosen;
      return await reconcile(session, registry.load(), destination, route, { repair: false, stop, ...options });
    });
  } finally {
    await pool.end();
  }
}

/** Adopts entries of one entity of the directory, which may be written to from then on. */
export async function adoptAll(
  registry: Pick<Registry, 'url' | 'load'>,
  entity: string,
  options: Partial<AdoptOptions> = {},
): Promise<Adopted> {
  const pool = createPool(registry.url, 'test adopt');
  try {
    return await withRoutes(pool, registry.load(), 'directory', entity, async (session, [chosen]) => {
      if (!chosen) throw new Error(`there is no route directory ${entity}`);
      const { signal: stop } = new AbortController();
      const { destination, route } = chosen;
      const adopted = await adopt(session, registry.load(), destination, route, { write: false, stop, ...options });
      if (options.write) await session.query(`select staffetta.admit('directory')`);
      return adopted;
    });
  } finally {
    await pool.end();
  }
}

/** Works until nothing remains to be done, as `run --once` does. */
export async function bringUpToDate(registry: Pick<Registry, 'load'>): Promise<void> {
  const { signal: stop } = new AbortController();
  await until(
    () => runOnce(registry.load(), { log: keepLog([]), stop }),
    ({ remaining }) => remaining === 0,
    { what: 'that nothing remains', patience: 60_000 },
  );
}

/** The drift that is recorded: `person 1 changed (mail, sn)`. */
export async function drift(registry: Pick<Registry, 'query'>): Promise<string[]> {
  const rows = await registry.query<{ line: string }>(
    `select concat_ws(' ', entity, coalesce(key, remote_id), what, case when attributes <> '{}' then '(' || array_to_string(attributes, ', ') || ')' end) as line
     from staffetta.drift order by entity, key, remote_id`,
  );
  return rows.map(({ line }) => line);
}
