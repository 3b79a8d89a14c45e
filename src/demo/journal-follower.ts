import type pg from 'pg';

/** An attempt, as the journal has it; or a batch of an initial load. */
export interface JournalEntry extends pg.QueryResultRow {
  readonly at: Date;
  readonly target: string;
  readonly entity: string;
  /** Null for a batch. */
  readonly key: string | null;
  /** How many entries; 1 but for a batch. */
  readonly count: number;
  readonly operation: string;
  readonly result: string;
  readonly remote_id: string | null;
  readonly changed: readonly string[] | null;
  readonly message: string | null;
  /** From the change in PostgreSQL until it was settled, in milliseconds. */
  readonly lag_ms: number | null;
}

/** Rows commit in another order than their times say, but not later than this, in seconds. */
const overlap = 10;

/** Tells of each new row of the journal, in the order of time, once. */
export class JournalFollower {
  readonly #database: pg.Pool;
  readonly #show: (entries: readonly JournalEntry[]) => void;
  /** Rows told of within the overlap: their times, by what they are. */
  readonly #told = new Map<string, number>();
  readonly #since: string;
  #looking: Promise<void> | undefined;
  #again = false;

  /** @param since what is older is not told of */
  constructor(database: pg.Pool, since: string, show: (entries: readonly JournalEntry[]) => void) {
    this.#database = database;
    this.#since = since;
    this.#show = show;
  }

  /** There is something new. */
  ring(): void {
    this.#again = true;
    this.#looking ??= this.#look()
      .catch(() => {}) // the database is away for a moment; the next ring looks again
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** Resolves when everything that was rung for has been told. */
  async idle(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const { rows } = await this.#database.query<JournalEntry & { id: string }>(
        `select at, target, entity, key, count, operation, result, remote_id, changed, message, (1000 * extract(epoch from lag))::float8 as lag_ms,
           concat_ws(' ', target, entity, at::text, key, operation) as id
         from staffetta.journal
         where at > greatest($1::timestamptz, clock_timestamp() - make_interval(secs => $2)) order by at`,
        [this.#since, overlap],
      );
      const news = rows.filter(({ id }) => !this.#told.has(id));
      for (const { id, at } of news) this.#told.set(id, at.getTime());
      const newest = rows.at(-1)?.at.getTime() ?? 0;
      for (const [id, at] of this.#told) if (at < newest - 2_000 * overlap) this.#told.delete(id);
      if (news.length > 0) this.#show(news);
    }
  }
}
