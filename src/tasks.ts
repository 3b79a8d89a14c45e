/** What graphile-worker runs for a daemon, task by task. */
import type { TaskList } from 'graphile-worker';
import { z } from 'zod';
import type { LoadedConfig } from './config/load.ts';
import type { Session } from './database/session.ts';
import type { Tunables } from './database/tunables.ts';
import { flushAll } from './deliver/flush.ts';
import type { Destination } from './deliver/route.ts';
import type { Log } from './log.ts';
import type { Pumps } from './pumps.ts';
import { owesReconcile, reconcileDue } from './reconcile/due.ts';
import { rescanOwed } from './reconcile/rescan.ts';
import { revisit } from './reconcile/revisit.ts';

const deliverJob = z.object({ target: z.string(), slot: z.number() });
const scanJob = z.object({ all: z.boolean().default(false) });

/** What of a daemon its tasks need. */
export interface Workplace {
  readonly loaded: LoadedConfig;
  readonly log: Log;
  readonly session: Session;
  readonly tunables: Tunables;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly pumps: Pumps;
  readonly stop: AbortSignal;
  /** Whether it may deliver at present. */
  mayDeliver(): boolean;
  /** Something may be there to ingest. */
  ring(): void;
  /** Something may be due. */
  kick(): void;
  /** Looks at every event and every delivery again. */
  reset(): void;
  addJob(identifier: string, jobKey: string): Promise<void>;
}

export function createTasks(place: Workplace): TaskList {
  const { session, log } = place;
  const isForAll = (payload: unknown) => scanJob.safeParse(payload).data?.all ?? false;
  return {
    deliver: (payload) => place.pumps.run(deliverJob.parse(payload)),
    ingest: () => place.ring(),
    sweep: () => sweep(place),
    rescan: async (payload) => {
      await rescanOwed(session.unhurried, log, isForAll(payload));
      place.kick();
    },
    reconcile: async (payload) => {
      if (!place.mayDeliver()) return;
      const { loaded, destinations, stop } = place;
      await reconcileDue(session.database, loaded, destinations, { all: isForAll(payload), log, stop });
      place.kick();
    },
    prune: async () => {
      await session.unhurried.query('select staffetta.prune()');
    },
  };
}

/** Everything that may have been missed is looked for again. */
async function sweep(place: Workplace): Promise<void> {
  const { session, log, reset, ring, kick, addJob } = place;
  reset();
  ring();
  await rescanOwed(session.unhurried, log, false);
  await session.unhurried.query('select staffetta.enqueue_steps(), staffetta.drop_passwords()');
  await revisit(session.unhurried);
  if (await owesReconcile(session.database)) await addJob('reconcile', 'reconcile owed');
  kick();
  await publish(place);
}

/** What targets took in and hand on by the clock. */
async function publish({ session, log, destinations, tunables, mayDeliver }: Workplace): Promise<void> {
  if (!mayDeliver()) return;
  await flushAll(session.database, destinations.values(), await tunables.read(), (target, reason) =>
    log.warn({ target, reason }, 'the target could not publish what it took in'),
  );
}
