/** A history, played against a real database, real directories and daemons, and judged by what the directories hold in the end. */
import { setTimeout } from 'node:timers/promises';
import { Acts } from './acts.ts';
import { Adoption } from './adoption.ts';
import { crowd, healing, runApplication } from './application.ts';
import type { BugName } from './bugs.ts';
import { daysDisabled } from './conduct.ts';
import { Configured } from './configured.ts';
import { mirror } from './counterpart.ts';
import { differences } from './desired.ts';
import { Fleet } from './fleet.ts';
import type { History } from './history.ts';
import { Mishaps, type Restart } from './mishaps.ts';
import { Peace } from './peace.ts';
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

/** Plays the history in a database of its own, which is dropped afterwards. */
export async function tryHistory(
  history: History,
  ground: Ground,
  { restart, patience = 30_000, bug }: TrialOptions = {},
): Promise<Verdict> {
  const site = await createSite(ground, history, bug);
  const fleet = new Fleet(site);
  const peace = new Peace(site, patience);
  try {
    const configured = new Configured(site, fleet);
    const mishaps = new Mishaps(site, fleet, configured, history.latency, restart);
    const acts = new Acts(site, configured);
    const adoption = history.conduct.inhabited ? await Adoption.prepare(site) : undefined;
    await configured.map('plain');
    await Promise.all(Array.from({ length: history.daemons }, (_, index) => fleet.start(index)));
    const findings = adoption ? [...(await adoption.adopt()), ...(await peace.reach(() => adoption.rewritten()))] : [];
    findings.push(...(await happen(site, mishaps, acts, history)));
    await site.query(healing);
    await mishaps.makeGood();
    await endContracts(site);
    if (history.acts.length > 0) {
      findings.push(...(await peace.reach()));
      await acts.makeGood();
    }
    const check = async (disabled: boolean) => [
      ...(await differencesOf(site, acts, disabled)),
      ...(bug === undefined ? await inconsistencies(site) : []),
      ...((await adoption?.replaced()) ?? []),
    ];
    findings.push(...(await peace.reach(() => check(true))));
    if (history.conduct.stepwise) {
      await acts.pass(2 * daysDisabled);
      findings.push(...(await peace.reach(() => check(false))));
    }
    findings.push(...(await acts.findings()), ...fleet.findings);
    findings.push(...((await site.order?.findings(site.query)) ?? []));
    for (const { witness } of site.targets.values()) findings.push(...witness.findings);
    const traces = findings.length > 0 ? [...(await trace(site, findings)), ...fleet.printed()] : [];
    await fleet.close();
    return { findings: [...new Set([...findings, ...fleet.findings])], traces, swept: peace.swept };
  } finally {
    await fleet.close();
    await site.close();
  }
}

/** Milliseconds after which what happens in a history should long have been over. */
const overdueAfter = 120_000;

/**
 * Lets everything happen: applications side by side, one mishap begun after the other, but not waited for, and acts
 * likewise; answers what does not come to an end. A daemon of the fleet is meant by its number.
 */
async function happen(
  site: Site,
  mishaps: Mishaps,
  acts: Acts,
  { applications, daemons, mishaps: planned, acts: intended }: History,
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
  const inTurn = <T extends { readonly pause: number }>(list: readonly T[], begin: (item: T) => Promise<void>) =>
    list.map(async (item, index) => {
      await setTimeout(list.slice(0, index + 1).reduce((sum, { pause }) => sum + pause, 0));
      await begin(item);
    });
  const things = [
    ...applications.map(async (transactions, index) =>
      watch(`application ${index + 1}`, runApplication(site.url, transactions)),
    ),
    ...inTurn(planned, ({ mishap }) => {
      const meant = 'daemon' in mishap ? { ...mishap, daemon: mishap.daemon % daemons } : mishap;
      return watch(`mishap “${mishap.do}”`, mishaps.happen(meant));
    }),
    ...inTurn(intended, ({ act }) => watch(`act “${act.do}”`, acts.happen(act))),
  ];
  try {
    await Promise.all(things);
  } finally {
    timers.abort();
  }
  return overdue;
}

/** Lets every contract end, those of some people at the very last; a sweep, which a daemon does each minute, sees that. */
async function endContracts({ query }: Site): Promise<void> {
  await query(
    `insert into registry.contract select id, clock_timestamp() + interval '1 s' from registry.person where id in (1, 3, 5, ${crowd})
     on conflict do nothing`,
  );
  const [last] = await query<{ left: number | null }>(
    `select extract(epoch from max(ends) - clock_timestamp())::float8 * 1000 as left from registry.contract`,
  );
  if (typeof last?.left !== 'number') return;
  await setTimeout(Math.max(0, last.left));
  await query('select staffetta.sweep()');
}

async function differencesOf(site: Site, acts: Acts, disabled: boolean): Promise<string[]> {
  const { targets, query } = site;
  const found = await Promise.all(
    [...targets].map(async ([target, { directory, counterpart }]) => [
      ...(counterpart ? await mirror(counterpart, target, directory) : []),
      ...(await differences(target, directory, query, {
        spared: acts.spared(target),
        disabled,
        means: site.means(target),
      })),
    ]),
  );
  return found.flat();
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
  const named = findings.flatMap((finding) => /(?:person|team) (-?\d+)|"key": "(-?\d+)"/.exec(finding)?.slice(1) ?? []);
  const places = findings.flatMap((finding) => /\w+=.*dc=org/.exec(finding) ?? []);
  const written = await query<{ key: string }>('select distinct key from staffetta.journal where remote_id = any($1)', [
    places,
  ]);
  const keys = [...named, ...written.map(({ key }) => key)].filter((key) => key !== undefined);
  const rows = await query<{ line: string }>(
    `select concat_ws(' ', 'journal', to_char(at, 'HH24:MI:SS.MS'), target, entity, key, operation, result, remote_id, changed::text, cause, message) as line
     from staffetta.journal where key = any($1) order by at`,
    [keys],
  );
  const links = await query<{ line: string }>(
    `select 'link ' || to_jsonb(l)::text as line from staffetta.link l where key = any($1)`,
    [keys],
  );
  return [...rows, ...links].map(({ line }) => line);
}
