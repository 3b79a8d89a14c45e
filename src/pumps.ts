import type { AddJobsFunction } from 'graphile-worker';
import { bellChannel } from './capture/trigger.ts';
import { few } from './database/session.ts';
import type { Queryable } from './database/transaction.ts';
import type { Claimant } from './deliver/claim.ts';
import { type Due, findDue, mostCounted } from './deliver/due.ts';
import { Pump, type PumpEvents, type PumpSession } from './deliver/pump.ts';
import type { Destination } from './deliver/route.ts';

/** A job of graphile-worker that runs a pump. */
export interface DeliverJob {
  readonly target: string;
  readonly slot: number;
}

/** How long others are not told again, in milliseconds: about as long as they would need to find out by their polls. */
const quiet = 2_000;

/** The pumps of a target. */
interface Lanes {
  readonly batch: number;
  readonly slots: readonly Pump[];
  /**
   * For what somebody waits for while every slot is at a batch of bulk, which may take seconds: takes nothing else, and
   * little at once.
   */
  readonly express: Pump;
}

/** The pumps of a daemon: for each target as many as it has slots, and the express one. */
export class Pumps {
  readonly #lanes: ReadonlyMap<string, Lanes>;
  #told = Number.NEGATIVE_INFINITY;
  readonly #failed: (target: string, error: unknown) => void;

  /** `failed`: a pump that no job runs fell over; it is started again when something is due at the next poll. */
  constructor(
    session: PumpSession,
    destinations: ReadonlyMap<string, Destination>,
    {
      slots,
      claimant,
      events,
      failed,
      stop,
    }: {
      slots: (target: string) => number;
      claimant: Claimant;
      events: PumpEvents;
      failed: (target: string, error: unknown) => void;
      stop: AbortSignal;
    },
  ) {
    this.#failed = failed;
    this.#lanes = new Map(
      [...destinations.values()].map((destination) => {
        const { name, batch } = destination;
        const small = { ...destination, batch: Math.min(batch, few) };
        return [
          name,
          {
            batch,
            slots: Array.from({ length: slots(name) }, () => new Pump(session, destination, claimant, events, stop)),
            express: new Pump(session, small, claimant, events, stop, 'interactive'),
          },
        ];
      }),
    );
  }

  /** Runs one pump until nothing is due; at once if it runs already. */
  async run({ target, slot }: DeliverJob): Promise<void> {
    await this.#lanes.get(target)?.slots[slot]?.run();
  }

  /**
   * Runs a pump of each of these targets that is idle, here and at once: what was just ingested need not wait until a job
   * is queued and taken, nor for the batch that another is at. If all run, the first looks once more (PROTOCOL E1), and
   * the express one runs if they are all at bulk.
   */
  start(targets: Iterable<string>): void {
    for (const target of targets) {
      const { slots, express } = this.#lanes.get(target) ?? { slots: [] };
      const pumps = [slots.find(({ isRunning }) => !isRunning) ?? slots[0]];
      if (slots.every(({ isAtBulk }) => isAtBulk)) pumps.push(express);
      for (const pump of pumps) pump?.run().catch((error: unknown) => this.#failed(target, error));
    }
  }

  /** Every daemon was told that something is due, by this one or by whoever. */
  told(): void {
    this.#told = performance.now();
  }

  /** Whether there is more than all slots take at once, and they do not all run: of what runs already others know. */
  #isTooMuch({ target, due }: Due): boolean {
    const { batch, slots } = this.#lanes.get(target) ?? { batch: 1, slots: [] };
    const most = Math.min(batch * slots.length, mostCounted - 1);
    return due > most && !this.#isBusy(target);
  }

  #isBusy(target: string): boolean {
    return this.#lanes.get(target)?.slots.every(({ isRunning }) => isRunning) ?? false;
  }

  /** How many are at work, or rest. */
  get running(): number {
    return this.#all.filter(({ isRunning }) => isRunning).length;
  }

  get #all(): Pump[] {
    return [...this.#lanes.values()].flatMap(({ slots, express }) => [...slots, express]);
  }

  /** Whether a pump is at work on what was claimed with this token. */
  holds(token: string): boolean {
    return this.#all.some((pump) => pump.holds(token));
  }

  /** Runs every pump until nothing is due. `probeNow`: a target that is waiting is tried, whatever its pause. */
  async runAll({ probeNow }: { probeNow: boolean }): Promise<void> {
    const pumps = [...this.#lanes.values()].flatMap(({ slots }) => slots);
    await Promise.all(pumps.map((pump) => pump.run({ probeNow })));
  }

  /** Looks at every delivery again, however long it has been due. */
  reset(): void {
    for (const pump of this.#all) pump.reset();
  }

  /** Resolves when every running pump has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#all.map((pump) => pump.idle()));
  }

  /**
   * Has as many pumps of each target run as its due deliveries can use: one here and at once, the others here
   * or in another daemon, by a job each, unless they run here and look once more (PROTOCOL E1). Of what is more than all
   * slots of a daemon take at once the others are told, when these slots begin. A kick that is lost costs a poll (E2).
   * Answers with the seconds until something else is due.
   */
  async kick(database: Queryable, addJobs: AddJobsFunction): Promise<number> {
    // Where all run, each looks for itself until nothing is due.
    const busy = [...this.#lanes.keys()].filter((target) => this.#isBusy(target));
    const due = await findDue(database, busy);
    // Whoever is told kicks, too: of a target that is away, or whose other slots run elsewhere, all would tell all for ever.
    const tell = performance.now() >= this.#told + quiet && due.some((target) => this.#isTooMuch(target));
    if (tell) this.told();
    const jobs = due.flatMap(({ target, due: count }) => {
      const { batch, slots } = this.#lanes.get(target) ?? { batch: 1, slots: [] };
      const useful = busy.includes(target) || count >= mostCounted ? slots.length : Math.ceil(count / batch);
      if (useful > 0) this.start([target]);
      return slots.slice(1, useful).flatMap((pump, index) => {
        if (!pump.isRunning) return [{ target, slot: index + 1 }];
        void pump.run();
        return [];
      });
    });
    if (jobs.length > 0) {
      await addJobs(
        jobs.map((job) => ({
          identifier: 'deliver',
          payload: job,
          jobKey: `deliver ${job.target} ${job.slot}`,
          maxAttempts: 1,
        })),
      );
    }
    if (tell) await database.query(`select pg_notify('${bellChannel}', 'due')`);
    return Math.min(...due.map(({ next }) => next ?? Number.POSITIVE_INFINITY));
  }
}
