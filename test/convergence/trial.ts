/** A history, played against a real database, real directories and daemons, and judged by what the directories hold in the end. */
import { setTimeout } from 'node:timers/promises';
import { healing, runApplication } from './application.ts';
import type { BugName } from './bugs.ts';
import { differences, type TargetName } from './desired.ts';
import { Fleet } from './fleet.ts';
import type { History } from './history.ts';
import { Mishaps, type Restart } from './mishaps.ts';
import { createSite, type Ground, type Site } from './site.ts';

export interface TrialOptions {
  /** Restarts the database server; without it that mishap does not happen. */
  readonly restart?: Restart | undefined;
  /** Milliseconds until nothing may be owed any longer, once everything is well again. */
  readonly patience?: number;
  /** Planted into the daemons; what their tables say is then left out of the findings: the entries have to show it. */
  readonly bug?: BugName | undefined;
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

/** Milliseconds without peace after which a sweep is asked for, which an installation does each minute. */
const sweepAfter = 8_000;

/** Plays the history in a database of its own, which is dropped afterwards. */
export async function tryHistory(
  history: History,
  ground: Ground,
  { restart, patience = 30_000, bug }: TrialOptions = {},
): Promise<Verdict> {
  const site = await createSite(ground, history, bug);
  const fleet = new Fleet(site);
  try {
    const mishaps = new Mishaps(site, fleet, history.latency, restart);
    await mishaps.apply('plain');
    const indexes = Array.from({ length: history.daemons }, (_, index) => index);
    await Promise.all(indexes.map((index) => fleet.start(index)));
    const overdue = await happen(site, mishaps, history);
    await site.query(healing);
    await mishaps.makeGood();
    const { different, swept } = await settle(site, patience, bug === undefined);
    const findings = [...overdue, ...different, ...fleet.findings];
    const traces = findings.length > 0 ? [...(await trace(site, findings)), ...fleet.printed()] : [];
    await fleet.close();
    return {
      findings: [...new Set([...findings, ...fleet.findings])],
      traces,
      swept,
    };
  } finally {
    await fleet.close();
    await site.close();
  }
}

/** Milliseconds after which what happens in a history should long have been over. */
const overdueAfter = 120_000;

/**
 * Lets everything happen: applications side by side, one mishap begun after the other, but not waited for; answers what
 * does not come to an end. A daemon of the fleet is meant by its number.
 */
async function happen(
  site: Site,
  mishaps: Mishaps,
  { applications, daemons, mishaps: planned }: History,
): Promise<string[]> {
  const overdue: string[] = [];
  const timers = new AbortController();
  const watch = async (what: string, happening: Promise<void>) => {
    const late = setTimeout(overdueAfter, `${what} is not over after ${overdueAfter / 1000} s`, {
      signal: timers.signal,
    });
    const said = await Promise.race([happening, late]);
    if (said) overdue.push(said);
  };
  const things = [
    ...applications.map(async (transactions, index) =>
      watch(`application ${index + 1}`, runApplication(site.url, transactions)),
    ),
    ...planned.map(async ({ mishap }, index) => {
      await setTimeout(planned.slice(0, index + 1).reduce((sum, { pause }) => sum + pause, 0));
      const meant = 'daemon' in mishap ? { ...mishap, daemon: mishap.daemon % daemons } : mishap;
      await watch(`mishap “${mishap.do}”`, mishaps.happen(meant));
    }),
  ];
  try {
    await Promise.all(things);
  } finally {
    timers.abort();
  }
  return overdue;
}

/** Waits until nothing is owed, and says what is not as it should be then. */
async function settle(
  site: Site,
  patience: number,
  tables: boolean,
): Promise<{ different: string[]; swept: string[] }> {
  const began = performance.now();
  let swept: string[] = [];
  for (let before = ''; ; await setTimeout(100)) {
    const owed = await debts(site);
    const waited = performance.now() - began;
    if (owed.length > 0 && waited > patience) return { different: owed.map((debt) => `still owed: ${debt}`), swept };
    if (owed.length > 0) await attend(site);
    if (owed.length > 0 && waited > sweepAfter && swept.length === 0) {
      swept = owed;
      await site.query('select staffetta.sweep()');
    }
    if (owed.length > 0) continue;
    const different = [...(await differencesOf(site)), ...(tables ? await inconsistencies(site) : [])];
    // Seen twice, and nothing was owed in between: nobody will change it.
    const final = JSON.stringify(different) === before && (await debts(site)).length === 0;
    if (different.length === 0 || final) return { different, swept };
    before = JSON.stringify(different);
  }
}

/**
 * What only an administrator can do: an entry that a killed daemon had just made, whose person is gone since, is removed
 * by hand where people who leave are to be disabled, because nobody has written down how to disable this one.
 */
async function attend({ targets, query }: Site): Promise<void> {
  const parked = await query<{ target: TargetName; key: string }>(
    `select target, key from staffetta.delivery where state = 'parked' and entity = 'person' and error like '%remove the entry by hand'`,
  );
  for (const { target, key } of parked) {
    const directory = targets.get(target)?.directory;
    const [entry, ...others] =
      (await directory?.entries(`(&(employeeNumber=${key})(employeeType=staff))`, '1.1')) ?? [];
    if (entry && others.length === 0) await directory?.modify(`dn: ${entry[0]}\nchangetype: delete\n`);
    await query('select staffetta.retry($1, $2, $3)', [target, 'person', [key]]);
  }
}

async function differencesOf({ targets, query }: Site): Promise<string[]> {
  const found = await Promise.all([...targets].map(([target, { directory }]) => differences(target, directory, query)));
  return found.flat();
}

async function debts({ query }: Site): Promise<string[]> {
  const rows = await query<{ debt: string }>(
    `select 'delivery ' || (to_jsonb(d) - 'token')::text as debt from staffetta.delivery d
     union all select 'event ' || to_jsonb(e)::text from staffetta.event e
     union all select 'failed event ' || to_jsonb(f)::text from staffetta.event_failed f
     union all select 'rescan ' || to_jsonb(r)::text from staffetta.route r where rescan > 0`,
  );
  return rows.map(({ debt }) => debt);
}

/** What Staffetta's own tables say that cannot be, once nothing is owed. */
async function inconsistencies({ query }: Site): Promise<string[]> {
  const rows = await query<{ finding: string }>(
    `select format('%s %s %s holds %s remote ids, and has %s', target, entity, key, coalesce(i.held, 0),
       case when l.remote_id is null then 'no link' else 'a link' end) as finding
     from staffetta.link l
     full join (select target, entity, key, count(*) as held from staffetta.remote_id group by target, entity, key) i
       using (target, entity, key)
     where l.remote_id is null or i.held is distinct from 1`,
  );
  return rows.map(({ finding }) => finding);
}

async function trace({ query }: Site, findings: readonly string[]): Promise<string[]> {
  const keys = findings.flatMap((finding) => /(?:person|team) (-?\d+)|"key": "(-?\d+)"/.exec(finding)?.slice(1) ?? []);
  const rows = await query<{ line: string }>(
    `select concat_ws(' ', 'journal', to_char(at, 'HH24:MI:SS.MS'), target, entity, key, operation, result, remote_id, changed::text, cause, message) as line
     from staffetta.journal where key = any($1) order by at`,
    [keys.filter((key) => key !== undefined)],
  );
  const links = await query<{ line: string }>(
    `select 'link ' || to_jsonb(l)::text as line from staffetta.link l where key = any($1)`,
    [keys.filter((key) => key !== undefined)],
  );
  return [...rows, ...links].map(({ line }) => line);
}
