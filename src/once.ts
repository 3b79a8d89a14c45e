/** `run --once`: drains what is due, in this process and without graphile-worker, and says what is left. */
import type { LoadedConfig } from './config/load.ts';
import { openSession } from './database/session.ts';
import type { Queryable } from './database/transaction.ts';
import { Tunables } from './database/tunables.ts';
import { findDue } from './deliver/due.ts';
import { flushAll } from './deliver/flush.ts';
import type { PumpEvents } from './deliver/pump.ts';
import { closeDestinations, openDestinations } from './destinations.ts';
import { readFeeds } from './ingest/feeds.ts';
import { Ingest } from './ingest/ingest.ts';
import { beat, Instance } from './instance.ts';
import type { Log } from './log.ts';
import { Pumps } from './pumps.ts';
import { reconcileDue } from './reconcile/due.ts';
import { rescanOwed } from './reconcile/rescan.ts';
import { revisit } from './reconcile/revisit.ts';
import { Refused } from './refused.ts';

/** Pauses of our own making – members gathered, removals waiting for re-insertion – are waited for up to so many seconds. */
const patience = 15;

/** What is left when nothing more can be done at once. */
export interface Left {
  /** Deliveries paid. */
  readonly done: number;
  /** Deliveries that are still due or will be tried again. */
  readonly remaining: number;
  /** Targets that could not publish what they took in. */
  readonly unpublished: number;
  /** Deliveries that wait for a person. */
  readonly parked: number;
}

export async function runOnce(
  loaded: LoadedConfig,
  { log, settled, stop }: { log: Log; settled?: PumpEvents['settled']; stop: AbortSignal },
): Promise<Left> {
  const { config, revision } = loaded;
  const slots = (target: string) => config.targets[target]?.slots ?? 1;
  const session = openSession(
    config.database,
    'staffetta once',
    Object.keys(config.targets).reduce((sum, target) => sum + slots(target), 2),
  );
  const { database, unhurried } = session;
  const instance = new Instance(database, loaded);
  let beating: NodeJS.Timeout | undefined;
  try {
    const { refusal } = await instance.refusal();
    if (refusal) throw new Refused(refusal);
    await instance.beat('once');
    beating = setInterval(() => void instance.beat('once').catch(() => {}), beat);
    await instance.takeOver();
    const destinations = await openDestinations(database, loaded, log);
    const tunables = new Tunables(database);
    let done = 0;
    let batches = 0;
    const stopped = new Set<string>();
    const events: PumpEvents = {
      settled(target, outcomes) {
        batches += 1;
        done += outcomes.filter(({ outcome }) => outcome === 'done').length;
        settled?.(target, outcomes);
      },
      told: () => {},
      stopped(target, reason) {
        stopped.add(target);
        log.warn({ target, reason }, 'the target is not sent anything at present');
      },
    };
    try {
      await database.query('select staffetta.ensure_journal_partitions()');
      const ingest = new Ingest(await readFeeds(database, Object.keys(config.entities)), revision);
      const pumps = new Pumps({ ...session, tunables }, destinations, {
        slots,
        claimant: instance,
        events,
        stop,
        failed: () => {}, // nothing starts a pump here but runAll, which throws
      });
      let idle = 0;
      for (let probeNow = true; ; probeNow = false) {
        const before = batches;
        await ingest.drain(unhurried, await tunables.read());
        await rescanOwed(unhurried, log, false);
        await unhurried.query('select staffetta.enqueue_steps()');
        await revisit(unhurried);
        await reconcileDue(database, loaded, destinations, { all: false, log, stop });
        pumps.reset();
        await pumps.runAll({ probeNow });
        const { events: more } = await ingest.drain(unhurried, await tunables.read());
        if (stop.aborted) break;
        if (more > 0) continue;
        idle = batches === before ? idle + 1 : 0;
        const due = (await findDue(database)).filter(({ target }) => !stopped.has(target));
        // It became due since the pumps ended; or, where they find nothing twice, nobody may have it at present.
        if (idle < 2 && due.some(({ due }) => due > 0)) continue;
        const next = Math.min(...due.map(({ soon }) => soon ?? Number.POSITIVE_INFINITY));
        if (next > patience) break;
        await new Promise((resolve) => setTimeout(resolve, Math.max(next, 0) * 1000 + 5));
      }
      const unpublished = await flushAll(database, destinations.values(), await tunables.read(), events.stopped);
      return { done, unpublished, ...(await countLeft(database)) };
    } finally {
      await closeDestinations(destinations.values());
    }
  } finally {
    clearInterval(beating);
    await instance.end().catch(() => {});
    await session.end();
  }
}

async function countLeft(database: Queryable): Promise<{ remaining: number; parked: number }> {
  const { rows } = await database.query<{ remaining: number; parked: number }>(
    `select count(*) filter (where d.state in ('pending', 'waiting') and t.state <> 'paused')::int as remaining,
       count(*) filter (where d.state in ('parked', 'held'))::int as parked
     from staffetta.delivery d join staffetta.target t using (target)`,
  );
  return rows[0] ?? { remaining: 0, parked: 0 };
}
