/**
 * Compares everything that a target holds for an entity with what it should hold.
 *
 * begun ► the target is read completely, page by page, each entry compared with the desired state of its key: at a glance,
 * and by the planner if that does not tell that it is right ► keys of which no entry was seen are looked for ► finished:
 * what is left of the differences is drift. If anything fails on the way the run is failed instead, and nothing is
 * concluded from what was not seen.
 *
 * A row of the view that cannot be read spoils only its own key: `load` halves down to it (PROTOCOL B12). Changes go on
 * meanwhile: what differs because a delivery is on its way, or just was, is no drift.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Destination, Route } from '../deliver/route.ts';
import type { RemoteState } from '../targets/target.ts';
import { ahead } from './ahead.ts';
import { alone, isApplied, isFinding } from './alone.ts';
import type { Glimpse } from './as-desired.ts';
import { comparedAttributes } from './attributes.ts';
import { Comparison } from './comparison.ts';
import type { Drift } from './drift.ts';
import { pagesOf } from './pages.ts';
import { Survey } from './survey.ts';

/** What a run found, as `staffetta.reconcile_run` keeps it: numbers of differences, after those under way were taken off. */
export interface Reconciled extends pg.QueryResultRow {
  /** Null: there was no run. */
  readonly run: string | null;
  readonly target: string;
  readonly entity: string;
  /** Whether everything was seen; if not, nothing else says anything. */
  readonly complete: boolean;
  /** Entries. */
  readonly seen: number;
  readonly missing: number;
  readonly changed: number;
  readonly misplaced: number;
  readonly unlinked: number;
  readonly unexpected: number;
  readonly unreadable: number;
  readonly under_way: number;
  /** Differences for which a delivery was enqueued. */
  readonly repaired: number;
  readonly error: string | null;
}

export interface ReconcileOptions {
  /** Enqueue deliveries that mend what can be mended. */
  readonly repair: boolean;
  /** Aborted: the run ends as if the process were killed. */
  readonly stop: AbortSignal;
  /** Told how many entries were compared so far. */
  readonly progress?: (seen: number) => void;
}

/** The longest to wait for changes that are captured but not ingested yet, in milliseconds. */
const ingestPatience = 5_000;

const columns = `run, target, entity, complete, seen::float8, missing::float8, changed::float8, misplaced::float8,
  unlinked::float8, unexpected::float8, unreadable::float8, under_way::float8, repaired::float8, error`;

/**
 * Reconciles one route. `session`: one connection, not a pool, and not through a transaction pooler. What keeps the target
 * or the view from being read is told in `error`; throws where the database fails, and when it is stopped.
 */
export async function reconcile(
  session: Queryable,
  loaded: LoadedConfig,
  destination: Destination,
  route: Route,
  options: ReconcileOptions,
): Promise<Reconciled> {
  const refused = (reason: string) => notRun(route, reason);
  return await alone(session, loaded, destination, route, refused, (owed) =>
    run(session, loaded, destination, route, owed, options),
  );
}

async function run(
  session: Queryable,
  loaded: LoadedConfig,
  destination: Destination,
  route: Route,
  owed: string,
  { repair, stop, progress }: ReconcileOptions,
): Promise<Reconciled> {
  const { target, entity } = route;
  const begun = await session.query<{ run: string }>('select staffetta.begin_reconcile($1, $2, $3) as run', [
    target,
    entity,
    repair,
  ]);
  const [{ run } = { run: '' }] = begun.rows;
  const end = async (call: string, values: readonly unknown[]): Promise<Reconciled> => {
    const { rows } = await session.query<Reconciled>(`select ${columns} from staffetta.${call}`, [run, ...values]);
    return rows[0] ?? notRun(route, 'it left no trace');
  };
  try {
    const seen = await compare(session, loaded, destination, route, run, stop, progress);
    await ingested(session, run);
    if (!(await isApplied(session, loaded)))
      return await end('fail_reconcile($1, $2)', ['another configuration was applied meanwhile']);
    return await end('finish_reconcile($1, $2, $3)', [seen, owed]);
  } catch (error) {
    if (stop.aborted || !isFinding(error)) throw error;
    return await end('fail_reconcile($1, $2)', [error.message]);
  }
}

/** Records every difference; answers with the number of entries. */
async function compare(
  session: Queryable,
  loaded: LoadedConfig,
  destination: Destination,
  route: Route,
  run: string,
  stop: AbortSignal,
  progress: ReconcileOptions['progress'],
): Promise<number> {
  const attributes = await comparedAttributes(session, loaded.config, route);
  const survey = await Survey.open(session, destination.target, route);
  const comparison = new Comparison(session, destination, route, survey, attributes);
  let seen = 0;
  try {
    // While the database looks at a page, the next one is read and the one before is compared.
    let looked: { entries: ReadonlyMap<string, RemoteState>; glimpses: readonly Glimpse[] } | undefined;
    const compareLooked = () => looked && comparison.doubtful(looked.entries, looked.glimpses);
    const settle = async (doubtful = new Map<string, RemoteState>()) =>
      record(session, run, await comparison.ofSeen(doubtful));
    for await (const page of ahead(pagesOf(destination, route, attributes, stop))) {
      const entries = await survey.account(page);
      const looking = comparison.glimpse(entries);
      const doubtful = compareLooked();
      looked = { entries, glimpses: await looking };
      await settle(doubtful);
      seen += page.length;
      progress?.(seen);
    }
    await settle(compareLooked());
    for await (const keys of survey.unseen()) {
      stop.throwIfAborted();
      await record(session, run, await comparison.ofUnseen(keys));
    }
    await session.query(
      `insert into staffetta.reconcile_drift (run, remote_id, what, note, normalised)
       select $1, e.remote_id, 'unexpected', nullif(concat_ws('; ',
         case when e.created_by_us then 'Staffetta''s account created it' when not e.created_by_us then 'somebody else created it' end,
         'it stands in the place of ' || e.place_of), ''), e.normalised
       from pg_temp.staffetta_entry e`,
      [run],
    );
  } finally {
    await survey.close().catch(() => {}); // its tables end with the session
  }
  return seen;
}

async function record(session: Queryable, run: string, drifts: readonly Drift[]): Promise<void> {
  if (drifts.length === 0) return;
  await session.query(
    `insert into staffetta.reconcile_drift (run, key, remote_id, what, attributes, note, normalised, repairable)
     select $1, key, "remoteId", what, attributes, note, normalised, repairable
     from jsonb_to_recordset($2) as d(key text, "remoteId" text, what text, attributes text[], note text, normalised text, repairable boolean)`,
    [run, JSON.stringify(drifts)],
  );
}

/**
 * Waits until what was captured before now was ingested, where something differs and a daemon does that: a change that
 * was read here may not be a delivery yet, and is no drift.
 */
async function ingested(session: Queryable, run: string): Promise<void> {
  const deadline = performance.now() + ingestPatience;
  const { rows } = await session.query<{ now: string }>(
    `select clock_timestamp()::text as now where exists (select from staffetta.reconcile_drift where run = $1) and exists (select from staffetta.daemon)`,
    [run],
  );
  const [since] = rows;
  while (since && performance.now() < deadline) {
    const { rowCount } = await session.query('select from staffetta.event where at <= $1::timestamptz limit 1', [
      since.now,
    ]);
    if (rowCount === 0) return;
    await pause(50);
  }
}

function notRun({ target, entity }: Route, error: string): Reconciled {
  const nothing = { seen: 0, missing: 0, changed: 0, misplaced: 0, unlinked: 0, unexpected: 0, unreadable: 0 };
  return { run: null, target, entity, complete: false, ...nothing, under_way: 0, repaired: 0, error };
}
