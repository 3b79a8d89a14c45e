import type { AddJobsFunction } from 'graphile-worker';
import type { Queryable } from './database/transaction.ts';
import type { Claimant } from './deliver/claim.ts';
import { findDue, mostCounted } from './deliver/due.ts';
import { Pump, type PumpEvents } from './deliver/pump.ts';
import type { Destination } from './deliver/route.ts';

/** A job of graphile-worker that runs a pump. */
export interface DeliverJob {
  readonly target: string;
  readonly slot: number;
}

/** The pumps of a daemon: for each target as many as it has slots. */
export class Pumps {
  readonly #pumps: ReadonlyMap<string, { readonly batch: number; readonly slots: readonly Pump[] }>;

  constructor(
    database: Queryable,
    destinations: ReadonlyMap<string, Destination>,
    {
      slots,
      claimant,
      events,
      stop,
    }: { slots: (target: string) => number; claimant: Claimant; events: PumpEvents; stop: AbortSignal },
  ) {
    this.#pumps = new Map(
      [...destinations.values()].map((destination) => {
        const create = () => new Pump(database, destination, claimant, events, stop);
        return [
          destination.name,
          { batch: destination.batch, slots: Array.from({ length: slots(destination.name) }, create) },
        ];
      }),
    );
  }

  /** Runs one pump until nothing is due; at once if it runs already. */
  async run({ target, slot }: DeliverJob): Promise<void> {
    await this.#pumps.get(target)?.slots[slot]?.run();
  }

  /** Runs every pump until nothing is due. `probeNow`: a target that is waiting is tried, whatever its pause. */
  async runAll({ probeNow }: { probeNow: boolean }): Promise<void> {
    const pumps = [...this.#pumps.values()].flatMap(({ slots }) => slots);
    await Promise.all(pumps.map((pump) => pump.run({ probeNow })));
  }

  /** Looks at every delivery again, however long it has been due. */
  reset(): void {
    for (const { slots } of this.#pumps.values()) for (const pump of slots) pump.reset();
  }

  /** Resolves when every running pump has ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#pumps.values()].flatMap(({ slots }) => slots.map((pump) => pump.idle())));
  }

  /**
   * Has as many pumps of each target run as its due deliveries can use, here or in another daemon: a job each, unless
   * the pump runs here, which then looks once more (PROTOCOL E1). A kick that is lost costs a poll (E2). Answers with
   * the seconds until something else is due.
   */
  async kick(database: Queryable, addJobs: AddJobsFunction): Promise<number> {
    const due = await findDue(database);
    const jobs = due.flatMap(({ target, due: count }) => {
      const { batch, slots } = this.#pumps.get(target) ?? { batch: 1, slots: [] };
      const useful = count < mostCounted ? Math.ceil(count / batch) : slots.length;
      return slots.slice(0, useful).flatMap((pump, slot) => {
        if (!pump.isRunning) return [{ target, slot }];
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
    return Math.min(...due.map(({ next }) => next ?? Number.POSITIVE_INFINITY));
  }
}
