/**
 * Changes that go together: those that come at the same moment are one request. Each waits for its own outcome, and no
 * longer than its own signal allows: whoever gives up takes nobody along.
 */
import { onAbort } from './deadline.ts';
import { TargetError } from './target.ts';

/** How long changes are waited for that may go along, in milliseconds. */
const moment = 5;

/** One that waits for its outcome. */
export interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly done: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

/** How many go together, and what becomes of them. */
interface Passage<Item, Outcome> {
  /** Those that came, in their order, as they fit into one request each. */
  divide(all: readonly Waiting<Item, Outcome>[]): readonly (readonly Waiting<Item, Outcome>[])[];
  /** Makes one request, and tells each its outcome; what it throws is that of all who have none. */
  carry(some: readonly Waiting<Item, Outcome>[]): Promise<void>;
}

export class Gathering<Item extends { readonly what: string }, Outcome> {
  readonly #passage: Passage<Item, Outcome>;
  #waiting: readonly Waiting<Item, Outcome>[] = [];

  constructor(passage: Passage<Item, Outcome>) {
    this.#passage = passage;
  }

  /** Makes a change with whatever others come at this moment. Throws `unavailable` when `signal` ends before its outcome. */
  async send(item: Item, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) throw new TargetError('unavailable', `${item.what}: given up before it was sent`);
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const waiting: Waiting<Item, Outcome> = { item, done: resolve, fail: reject };
    const off = onAbort(signal, () => reject(this.#giveUp(waiting)));
    this.#waiting = [...this.#waiting, waiting];
    if (this.#waiting.length === 1) setTimeout(() => this.#leave(), moment);
    try {
      return await promise;
    } finally {
      off();
    }
  }

  #giveUp(waiting: Waiting<Item, Outcome>): TargetError {
    const isSent = !this.#waiting.includes(waiting);
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    const when = isSent ? 'before the answer to what it went with' : 'before it was sent';
    return new TargetError('unavailable', `${waiting.item.what}: given up ${when}`, { unsure: isSent });
  }

  #leave(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const some of this.#passage.divide(all)) {
      this.#passage.carry(some).catch((error: unknown) => {
        for (const { fail } of some) fail(error);
      });
    }
  }
}
