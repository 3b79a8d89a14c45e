/**
 * Transactions of a flow. What is asked for in one turn of the event loop becomes durable together, each on its own:
 * where one fails, nothing of it is done, and the others are not touched. Who comes while another daemon writes waits,
 * without keeping this process from anything else.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { TargetError } from '../target.ts';
import { failureOf } from './failure.ts';
import { isBusy } from './sqlite.ts';
import type { Store } from './store.ts';

interface Job {
  readonly signal: AbortSignal;
  /** Does it; what it returns tells the outcome to whoever asked, once it is durable. */
  readonly run: (store: Store) => () => void;
  readonly fail: (error: unknown) => void;
}

/** Milliseconds before it is looked again whether another has done with writing. */
const patience = 5;

export class Commits {
  readonly #open: () => Promise<Store>;
  #jobs: Job[] = [];
  #working = false;

  /** `open`: gives the flow, or says why it cannot be used. */
  constructor(open: () => Promise<Store>) {
    this.#open = open;
  }

  /** Runs `work` in a transaction. Fails with `unavailable`, nothing being done, when `signal` ends before its turn. */
  run<T>(work: (store: Store) => T, signal: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run = (store: Store) => {
      const result = work(store);
      return () => resolve(result);
    };
    this.#jobs.push({ signal, run, fail: reject });
    if (!this.#working) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#jobs.length > 0) {
      await nextTurn();
      const jobs = this.#jobs;
      this.#jobs = [];
      await this.#together(jobs);
    }
    this.#working = false;
  }

  async #together(jobs: readonly Job[]): Promise<void> {
    try {
      const store = await this.#open();
      const waiting = await begin(store, jobs);
      if (waiting.length === 0) return;
      const outcomes = waiting.map((job) => attempt(store, job));
      commit(store);
      for (const outcome of outcomes) outcome();
    } catch (error) {
      for (const { fail } of jobs) fail(error);
    }
  }
}

/** Begins a transaction; the jobs for which that was not too late. */
async function begin(store: Store, jobs: readonly Job[]): Promise<readonly Job[]> {
  let waiting = jobs;
  for (;;) {
    for (const { signal, fail } of waiting) if (signal.aborted) fail(late());
    waiting = waiting.filter(({ signal }) => !signal.aborted);
    if (waiting.length === 0) return waiting;
    try {
      store.sqlite.execute('begin immediate');
      return waiting;
    } catch (error) {
      if (!isBusy(error)) throw failureOf('the flow cannot be written', error);
      await sleep(patience);
    }
  }
}

function late(): TargetError {
  return new TargetError('unavailable', 'the turn of the flow did not come within the time limit');
}

/** Does one thing of a transaction; how its outcome is told. */
function attempt(store: Store, { run, fail }: Job): () => void {
  store.sqlite.execute('savepoint job');
  try {
    const told = run(store);
    store.sqlite.execute('release job');
    return told;
  } catch (error) {
    try {
      store.sqlite.execute('rollback to job; release job');
    } catch {
      throw failureOf('the flow cannot be written', error); // SQLite has given up the whole transaction: the disk is full
    }
    return () => fail(asFailure(error));
  }
}

function asFailure(error: unknown): unknown {
  try {
    return failureOf('the flow cannot be written', error);
  } catch (mistake) {
    return mistake;
  }
}

function commit(store: Store): void {
  try {
    store.sqlite.execute('commit');
  } catch (error) {
    try {
      store.sqlite.execute('rollback');
    } catch {} // SQLite has done so itself
    throw failureOf('the flow cannot be written', error, { unsure: true });
  }
}
