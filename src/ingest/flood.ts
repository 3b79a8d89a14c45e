/**
 * How many transactions change identities at present. One that changes very many counts as one: nobody else waits for it.
 *
 * - busy: so many that whoever ingests does better to look again and again than to have each of them ring a bell.
 * - flood: so many that hurrying is in vain, since what is paid now is owed again in a moment, and the processors that it
 *   takes are those of the ones who write. Then whoever works for them rests after each piece of work.
 *
 * Both end within seconds after the last of them.
 */
import { setTimeout } from 'node:timers/promises';
import { defaults } from '../database/parameters.ts';

/** Transactions in a second. */
const busy = 100;

/**
 * What they are counted over, in milliseconds: longer than whoever ingests rests, or nobody would know of a flood between
 * two of his looks.
 */
const window = 3_000;

/** How many times as long as the work was one rests, and the shortest and the longest, in milliseconds. */
const share = 3;
const shortest = 5;
const longest = { ingest: 1_000, deliver: 5_000 } as const;

/** How often one who rests looks whether the flood is over, in milliseconds. */
const interval = 250;

export class Flood {
  #seen: { readonly at: number; readonly transactions: number }[] = [];
  #limit = defaults.FLOOD_TRANSACTIONS;

  /** So many transactions were just taken in; `limit`: as many in a second are a flood, at present. */
  note(transactions: number, { at = performance.now(), limit = this.#limit } = {}): void {
    this.#limit = limit;
    if (transactions > 0) this.#seen.push({ at, transactions });
  }

  isBusy(at = performance.now()): boolean {
    return this.#perSecond(at) >= Math.min(busy, this.#limit);
  }

  isFlood(at = performance.now()): boolean {
    return this.#perSecond(at) >= this.#limit;
  }

  /**
   * In a flood, resolves after a rest; at once otherwise, and when the flood is over.
   *
   * @param worked milliseconds of work, of all who work at the same time
   */
  async rest(worked: number, stop: AbortSignal): Promise<void> {
    const ends = performance.now() + restAfter(worked, 'deliver');
    while (this.isFlood() && !stop.aborted && performance.now() < ends)
      await setTimeout(Math.min(interval, ends - performance.now()), undefined, { signal: stop }).catch(() => {}); // told to stop
  }

  #perSecond(at: number): number {
    this.#seen = this.#seen.filter((seen) => seen.at > at - window);
    return this.#seen.reduce((sum, { transactions }) => sum + transactions, 0) / (window / 1_000);
  }
}

/** How long to rest after so long at work, in milliseconds, so that others have the processors most of the time. */
export function restAfter(worked: number, at: keyof typeof longest): number {
  return Math.min(Math.max(share * worked, shortest), longest[at]);
}
