/**
 * When requests may go to a server: no more of them than its rate allows, evenly spread, and none while it has asked us
 * to wait. Whoever waits is let through in the order of coming.
 */
import type { Rate } from '../../config/web.ts';

/** Milliseconds by which a timer that came late may be made up for. */
const slack = 10;

interface Waiter {
  readonly go: () => void;
}

export class Pace {
  readonly #interval: number;
  #next = 0;
  #waiting: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Without a rate, nobody waits unless `hold` is called. */
  constructor(rate: Rate | undefined) {
    this.#interval = rate === undefined ? 0 : rate.within / rate.count;
  }

  /** Waits until a request may go; false where `signal` was given up before that. */
  async turn(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { go: () => resolve(true) };
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      resolve(false);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(waiter);
    this.#letThrough();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Lets nobody through for so many milliseconds. */
  hold(milliseconds: number): void {
    this.#next = Math.max(this.#next, performance.now() + milliseconds);
  }

  #letThrough(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const now = performance.now();
      if (this.#next > now) break;
      const waiter = this.#waiting.shift();
      if (waiter === undefined) return;
      this.#next = Math.max(this.#next, now - slack) + this.#interval;
      waiter.go();
    }
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => this.#letThrough(), Math.ceil(this.#next - performance.now()));
  }
}
