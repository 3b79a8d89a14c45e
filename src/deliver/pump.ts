/**
 * Pays the deliveries of one target in one slot: claim, deliver, claim again, until nothing is due.
 *
 * A pump is idle or running. `run` starts an idle pump; of a running one it only asks that it look once more before it
 * ends (PROTOCOL E1: otherwise each kick would start another copy). A pump ends when nothing is due, when its target is
 * not to be sent anything, when told to stop, when others may soon take this daemon for dead, or after a few minutes, so
 * that the job it runs in stays short.
 *
 * After a target could not be reached, or was too slow, batches begin small again and grow with each that is delivered:
 * one that is too slow for the whole of a batch would otherwise get nothing done but probes.
 */
import type { Parameters } from '../database/parameters.ts';
import { few } from '../database/session.ts';
import { Statistics } from '../database/statistics.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Tunables } from '../database/tunables.ts';
import { Batch, type Delivered } from './batch.ts';
import { markReached, markUnreachable, quarantine, takeProbe } from './breaker.ts';
import { type Claimant, Claimer, type Priority } from './claim.ts';
import { flush } from './flush.ts';
import type { Outcome } from './outcome.ts';
import type { Destination } from './route.ts';

/** How much larger the next batch is after one that was delivered. */
const growth = 4;

/** The longest a pump runs in one go, in milliseconds. */
const longest = 180_000;

export interface PumpEvents {
  /** A batch was settled. */
  settled(target: string, outcomes: readonly Outcome[]): void;
  /** Others may go on: events were written for those who refer to what was delivered, or they are due. */
  told(): void;
  /** The target could not be reached, or refused us. */
  stopped(target: string, reason: string): void;
}

/** Through what a pump talks to the database. */
export interface PumpSession {
  readonly database: Queryable;
  /** For batches of no more than a few deliveries. */
  readonly few: Queryable;
  readonly tunables: Tunables;
  /** Rests after a batch that took so long, in milliseconds. Default: not at all. */
  readonly rest?: (worked: number) => Promise<void>;
}

export class Pump {
  readonly #database: Queryable;
  readonly #few: Queryable;
  readonly #tunables: Tunables;
  readonly #rest: (worked: number) => Promise<void>;
  readonly #destination: Destination;
  readonly #claimant: Claimant;
  readonly #claimer: Claimer;
  readonly #mayProbe: boolean;
  readonly #statistics = new Statistics('staffetta.link', 'staffetta.remote_id', 'staffetta.reference');
  readonly #events: PumpEvents;
  readonly #stop: AbortSignal;
  #running: Promise<void> | undefined;
  #again = false;
  #refusals = 0;
  /** Batches so far. */
  #delivered = 0;
  #priority: Priority | undefined;
  /** Deliveries to claim at once, at present. */
  #limit: number;

  /** `only`: a pump for deliveries of this priority; it leaves probing a target to others. */
  constructor(
    { database, few, tunables, rest = async () => {} }: PumpSession,
    destination: Destination,
    claimant: Claimant,
    events: PumpEvents,
    stop: AbortSignal,
    only?: Priority,
  ) {
    this.#database = database;
    this.#few = few;
    this.#tunables = tunables;
    this.#rest = rest;
    this.#destination = destination;
    this.#limit = destination.batch;
    this.#claimant = claimant;
    this.#claimer = new Claimer(destination.name, claimant, only);
    this.#mayProbe = only === undefined;
    this.#events = events;
    this.#stop = stop;
  }

  /** Looks at every delivery again, however long it has been due (PROTOCOL B11). */
  reset(): void {
    this.#claimer.reset();
    this.#statistics.reset();
  }

  /** Whether it is at work on what was claimed with this token. */
  holds(token: string): boolean {
    return this.#claimer.holds(token);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Whether what it claimed last, and may still be at, is bulk. */
  get isAtBulk(): boolean {
    return this.isRunning && this.#priority === 'bulk';
  }

  /**
   * Runs until nothing is due; ends at once where it runs already. `probeNow`: a target that is waiting is tried,
   * whatever its pause.
   */
  async run({ probeNow = false } = {}): Promise<void> {
    if (this.isRunning) {
      this.#again = true;
      return;
    }
    this.#running = this.#loop(probeNow);
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Resolves when a running pump has ended, however it did. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  /** Whether what is claimed now could be sent: else it would be claimed and given back for ever. */
  get #isSeenAlive(): boolean {
    return performance.now() + this.#destination.timeout < this.#claimant.life.ends;
  }

  async #loop(probeNow: boolean): Promise<void> {
    const published = this.#delivered;
    try {
      await this.#deliver(probeNow);
    } finally {
      if (this.#delivered > published) await this.#flush();
    }
  }

  /** What a target took in is published, whatever became of the rest. */
  async #flush(): Promise<void> {
    if (!this.#destination.target.flush) return;
    const reason = await flush(this.#database, this.#destination, await this.#tunables.read(), { probe: false });
    if (reason !== undefined) this.#events.stopped(this.#destination.name, reason);
  }

  async #deliver(probeNow: boolean): Promise<void> {
    const ends = performance.now() + longest;
    let mayProbe = probeNow;
    do {
      this.#again = false;
      const parameters = await this.#tunables.read();
      while (!this.#stop.aborted && performance.now() < ends && this.#isSeenAlive) {
        const { name, timeout } = this.#destination;
        // A claim that ends before an operation may would never send anything (PROTOCOL B4).
        const leaseSeconds = Math.max(parameters.LEASE_SECONDS, (3 * timeout) / 1000);
        let claim = await this.#claimer.claim(this.#database, { limit: this.#limit, leaseSeconds, probing: false });
        const probe = claim === undefined && this.#claimer.isWaiting && this.#mayProbe;
        if (probe) {
          if (!(await takeProbe(this.#database, name, (3 * timeout) / 1000, mayProbe))) break;
          claim = await this.#claimer.claim(this.#database, { limit: 1, leaseSeconds, probing: true });
          mayProbe = false;
        }
        if (!claim) break;
        this.#priority = claim.priority;
        const began = performance.now();
        const database = claim.deliveries.length > few ? this.#database : this.#few;
        const batch = new Batch(database, this.#destination, parameters, claim, this.#stop);
        const delivered = await batch.deliver().finally(() => this.#claimer.end(claim));
        this.#delivered += 1;
        await this.#judge(delivered, probe, parameters);
        await this.#statistics.grown(this.#database, made(delivered.outcomes));
        if (delivered.failure !== undefined) throw delivered.failure;
        await this.#rest(performance.now() - began);
        // A probe that needed nothing of the target says nothing of it: another delivery has to.
        if (probe && !delivered.reached && delivered.unavailable === undefined) mayProbe = true;
      }
    } while (this.#again && !this.#stop.aborted && performance.now() < ends);
  }

  /** What a batch means for the target as a whole. */
  async #judge(delivered: Delivered, probe: boolean, parameters: Parameters): Promise<void> {
    const { name } = this.#destination;
    const { outcomes, settled, woken, reached, unavailable, retryAfter, misconfigured } = delivered;
    this.#limit = unavailable === undefined ? Math.min(this.#limit * growth, this.#destination.batch) : 1;
    for (const { error, sent } of outcomes) {
      if (error?.kind === 'one-sided') this.#refusals += 1;
      else if (sent !== undefined) this.#refusals = 0;
    }
    const refused = this.#refusals >= parameters.ONE_SIDED_LIMIT;
    const wrong =
      misconfigured ?? (refused ? `${this.#refusals} changes in a row were refused for lack of rights` : undefined);
    if (wrong !== undefined) {
      this.#refusals = 0;
      await quarantine(this.#database, name, wrong);
      this.#events.stopped(name, wrong);
    } else if (unavailable !== undefined) {
      await markUnreachable(this.#database, name, unavailable, parameters, retryAfter);
      this.#events.stopped(name, unavailable);
    } else if (probe && reached) await markReached(this.#database, name);
    this.#events.settled(name, outcomes);
    if (settled.told > 0 || woken > 0) this.#events.told();
  }
}

/** So many rows the tables of what is on targets may have got: changes of entries replace theirs. */
function made(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, { link, journal, members = [] }) => {
    const isNew = link && journal?.operation !== 'update';
    return sum + (isNew ? 1 : 0) + members.length;
  }, 0);
}
