/** Members that are still to be delivered in bulk, by target and entity (`directory person`). */
export type Counts = Readonly<Record<string, number>>;

/**
 * While members are delivered in bulk, their holders wait about as long as that will take, so that an initial load
 * writes a group once or twice and not with every batch (PROTOCOL F1): a second for so many that are due, of which no
 * more than so many are counted.
 */
export const pace = { aSecond: 500, counted: 50_000 };

/** How much of the time that a crowd will take may pass before it is counted again. */
const stale = 0.1;

/**
 * How many members are still to be delivered in bulk. To count them beside a large queue takes a tenth of a second, which
 * a single change would have to wait for: so a count is good for a tenth of the time that it stands for.
 */
export class Crowd {
  readonly #counts = new Map<string, { readonly waiting: number; readonly until: number }>();
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The counts that are still good. */
  get known(): Counts {
    const now = this.#now();
    return Object.fromEntries(
      [...this.#counts].flatMap(([who, { waiting, until }]) => (now < until ? [[who, waiting]] : [])),
    );
  }

  /** Takes note of counts; of those that are known already, nothing. */
  learn(counts: Counts): void {
    const { known } = this;
    for (const [who, waiting] of Object.entries(counts)) {
      if (who in known) continue;
      const takes = (waiting / pace.aSecond) * 1000;
      this.#counts.set(who, { waiting, until: this.#now() + takes * stale });
    }
  }
}
