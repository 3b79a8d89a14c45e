import { type Parameters, readParameters } from './parameters.ts';
import type { Queryable } from './transaction.ts';

/** How old what was read may be, in milliseconds: who changes a parameter waits no longer until it counts. */
const longest = 1000;

/** The tunables for those who ask for them with every change. */
export class Tunables {
  readonly #database: Queryable;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Parameters> | undefined;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** They may be others now. */
  forget(): void {
    this.#reading = undefined;
  }

  /** As they were a second ago at most. Throws where they cannot be read; the next one to ask tries again. */
  read(): Promise<Parameters> {
    if (this.#reading && performance.now() < this.#readAt + longest) return this.#reading;
    this.#readAt = performance.now();
    const reading = readParameters(this.#database);
    reading.catch(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }
}
