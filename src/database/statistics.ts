import type { Queryable } from './transaction.ts';

/** Rows after which the planner is told for the first time, and the most that it is ever left behind. */
const first = 1_000;
const most = 200_000;

/**
 * Keeps the planner's idea of our tables near to what they hold while they fill. By itself PostgreSQL looks once a minute
 * at best: until then, plans that are right for an empty queue would be made for a full one.
 */
export class Statistics {
  readonly #tables: string;
  #grown = 0;
  #next = first;

  /** `tables`: qualified names. */
  constructor(...tables: readonly string[]) {
    this.#tables = tables.join(', ');
  }

  /** So many rows may have come. Gathers statistics each time that they have doubled. */
  async grown(database: Queryable, rows: number): Promise<void> {
    this.#grown += rows;
    if (this.#grown < this.#next) return;
    this.#grown = 0;
    this.#next = Math.min(2 * this.#next, most);
    await database.query(`analyze (skip_locked) ${this.#tables}`);
  }

  /** Begins anew: what comes next may find the tables empty. */
  reset(): void {
    this.#next = first;
  }
}
