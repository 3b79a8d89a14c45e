/**
 * How many transactions change identities at present. One that changes very many counts as one: nobody else waits for it.
 *
 * - busy: so many that whoever ingests does better to look again and again than to have each of them ring a bell.
 * - flood: so many that hurrying is in vain, since what is paid now is owed again in a moment, and the processors that it
 *   takes are those of the ones who write. Then whoever works for them rests after each piece of work.
 *
 * Both end within a second after the last of them.
 */

/** Transactions in a second. */
const busy = 100;
const flood = 1_000;

/** What they are counted over, in milliseconds. */
const window = 1_000;

/** How many times as long as the work was one rests, and the shortest and the longest, in milliseconds. */
const share = 3;
const shortest = 5;
const longest = 1_000;

export class Flood {
  #seen: { readonly at: number; readonly transactions: number }[] = [];

  /** So many transactions were just taken in. */
  note(transactions: number, at = performance.now()): void {
    if (transactions > 0) this.#seen.push({ at, transactions });
  }

  isBusy(at = performance.now()): boolean {
    return this.#count(at) >= busy;
  }

  isFlood(at = performance.now()): boolean {
    return this.#count(at) >= flood;
  }

  #count(at: number): number {
    this.#seen = this.#seen.filter((seen) => seen.at > at - window);
    return this.#seen.reduce((sum, { transactions }) => sum + transactions, 0);
  }
}

/** How long to rest after so long at work, in milliseconds, so that others have the processors most of the time. */
export function restAfter(worked: number): number {
  return Math.min(Math.max(share * worked, shortest), longest);
}
