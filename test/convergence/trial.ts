/** A history, played against a real database, directory and daemons, and judged by what the directory holds in the end. */
import { setTimeout } from 'node:timers/promises';
import { createRegistry, type Registry, type RegistryOptions } from '../setup/registry.ts';
import { constraints, healing, runApplication } from './application.ts';
import { Fleet } from './fleet.ts';
import type { History } from './history.ts';
import { Mishaps, type Restart } from './mishaps.ts';
import { openProxy } from './proxy.ts';

export interface TrialOptions extends RegistryOptions {
  /** Restarts the database server; without it that mishap does not happen. */
  readonly restart?: Restart;
  /** Milliseconds until nothing may be owed any longer, once everything is well again. */
  readonly patience?: number;
}

/** What came of a history. */
export interface Verdict {
  /** What is not as it should be; empty: it converged. */
  readonly findings: readonly string[];
  /** What may help to see why: deliveries, journal, logs. */
  readonly traces: readonly string[];
  /** What was still owed when a sweep, which a daemon does each minute, was asked for; empty: no sweep was needed. */
  readonly swept: readonly string[];
}

/** Tunables that bring the long waits of a real installation within a history. */
const parameters = { LEASE_SECONDS: 1.5, BULK_ROWS: 20, RETRY_MAX_SECONDS: 1 };

/** Milliseconds without peace after which a sweep is asked for, which an installation does each minute. */
const sweepAfter = 12_000;

export async function tryHistory(
  history: History,
  { restart, patience = 30_000, ...options }: TrialOptions = {},
): Promise<Verdict> {
  const registry = await createRegistry(options);
  const fleet = new Fleet(registry);
  const proxy = await openProxy(registry.directory.url);
  try {
    await registry.query(constraints);
    for (const [code, number] of Object.entries(parameters))
      await registry.query('update staffetta.parameter set number = $2, minimum = least(minimum, $2) where code = $1', [
        code,
        number,
      ]);
    const mishaps = new Mishaps({ registry, fleet, proxy, restart }, history);
    await mishaps.apply('plain');
    const indexes = Array.from({ length: history.daemons }, (_, index) => index);
    await Promise.all(indexes.map((index) => fleet.start(index)));
    await Promise.all([
      ...history.applications.map((transactions) => runApplication(registry.url, transactions)),
      befall(mishaps, history),
    ]);
    await registry.query(healing);
    await mishaps.makeGood();
    const { different, swept } = await settle(registry, patience);
    const findings = [...different, ...fleet.findings];
    const traces = findings.length > 0 ? [...(await trace(registry, findings)), ...fleet.printed()] : [];
    await fleet.close();
    return { findings: [...new Set([...findings, ...fleet.findings])], traces, swept };
  } finally {
    await fleet.close();
    await proxy.close();
    await registry.close();
  }
}

/** One mishap begins after the other, but need not be over. A daemon of the fleet is meant by its number. */
async function befall(mishaps: Mishaps, { daemons, mishaps: planned }: History): Promise<void> {
  const happening: Promise<void>[] = [];
  for (const { mishap, pause } of planned) {
    await setTimeout(pause);
    happening.push(mishaps.happen('daemon' in mishap ? { ...mishap, daemon: mishap.daemon % daemons } : mishap));
  }
  await Promise.all(happening);
}

/** Waits until nothing is owed, and says what is not as it should be then. */
async function settle(registry: Registry, patience: number): Promise<{ different: string[]; swept: string[] }> {
  const began = performance.now();
  let swept: string[] = [];
  for (let before = ''; ; await setTimeout(100)) {
    const owed = await debts(registry);
    const waited = performance.now() - began;
    if (owed.length > 0 && waited > patience) return { different: owed.map((debt) => `still owed: ${debt}`), swept };
    if (owed.length > 0 && waited > sweepAfter && swept.length === 0) {
      swept = owed;
      await registry.query('select staffetta.sweep()');
    }
    if (owed.length > 0) continue;
    const different = [...(await registry.differences()), ...(await inconsistencies(registry))];
    // Seen twice, and nothing was owed in between: nobody will change it.
    const final = JSON.stringify(different) === before && (await debts(registry)).length === 0;
    if (different.length === 0 || final) return { different, swept };
    before = JSON.stringify(different);
  }
}

async function debts({ query }: Registry): Promise<string[]> {
  const rows = await query<{ debt: string }>(
    `select 'delivery ' || (to_jsonb(d) - 'token')::text as debt from staffetta.delivery d
     union all select 'event ' || to_jsonb(e)::text from staffetta.event e
     union all select 'failed event ' || to_jsonb(f)::text from staffetta.event_failed f
     union all select 'rescan ' || to_jsonb(r)::text from staffetta.route r where rescan > 0`,
  );
  return rows.map(({ debt }) => debt);
}

/** What Staffetta's own tables say that cannot be, once nothing is owed. */
async function inconsistencies({ query }: Registry): Promise<string[]> {
  const rows = await query<{ finding: string }>(
    `select format('%s %s holds %s remote ids, and has %s', coalesce(l.entity, i.entity), coalesce(l.key, i.key),
       coalesce(i.held, 0), case when l.key is null then 'no link' else 'a link' end) as finding
     from staffetta.link l
     full join (select entity, key, count(*) as held from staffetta.remote_id group by entity, key) i
       on (i.entity, i.key) = (l.entity, l.key)
     where l.key is null or i.held is distinct from 1`,
  );
  return rows.map(({ finding }) => finding);
}

async function trace({ query }: Registry, findings: readonly string[]): Promise<string[]> {
  const keys = findings.flatMap((finding) => /(?:person|team) (-?\d+)|"key": "(-?\d+)"/.exec(finding)?.slice(1) ?? []);
  const rows = await query<{ line: string }>(
    `select concat_ws(' ', 'journal', to_char(at, 'HH24:MI:SS.MS'), entity, key, operation, result, remote_id, changed::text, cause, message) as line
     from staffetta.journal where key = any($1) order by at`,
    [keys.filter((key) => key !== undefined)],
  );
  const links = await query<{ line: string }>(
    `select 'link ' || to_jsonb(l)::text as line from staffetta.link l where key = any($1)`,
    [keys.filter((key) => key !== undefined)],
  );
  return [...rows, ...links].map(({ line }) => line);
}
