/**
 * Event → delivery, until nothing is left. What goes wrong stays where it belongs (PROTOCOL A10): a value that cannot
 * be read halves the batch down to the one event, which moves to `staffetta.event_failed`; a source whose table,
 * column or function is missing keeps its events, says so in `staffetta.source`, and is tried again at the next drain,
 * while the others go on.
 */
import { hashOf } from '../database/generated.ts';
import type { Parameters } from '../database/parameters.ts';
import { isDataError, isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import { type Feed, ingestStatement, linkSource } from './statement.ts';

/** What a drain did. */
export interface Drained {
  readonly events: number;
  /** Targets that have new deliveries. */
  readonly targets: ReadonlySet<string>;
  /** Whether a rescan is owed now that was not before. */
  readonly rescans: boolean;
  /** Every transaction before this one is over, and its events are in: the xmin of the last snapshot. */
  readonly xmin: bigint;
}

interface Batch {
  claimed: number;
  rescans: number;
  targets: string[];
  xmin: string;
  skipped: boolean;
}

export class Ingest {
  readonly #feeds: readonly Feed[];
  readonly #revision: string;
  /**
   * Everything before it has been ingested, so that the scan need not pass dead rows. In memory only: it starts at 0
   * on each connection and at each sweep, and moves only past a snapshot of which nothing was skipped (PROTOCOL A8).
   */
  #lowWater = 0n;
  #broken = new Set<string>();

  constructor(feeds: readonly Feed[], revision: string) {
    this.#feeds = feeds;
    this.#revision = revision;
  }

  /** Looks at every event again at the next drain. */
  reset(): void {
    this.#lowWater = 0n;
  }

  /** Ingests until nothing that can be ingested is left. Throws only what is no fault of an event or a source. */
  async drain(database: Queryable, parameters: Parameters): Promise<Drained> {
    const targets = new Set<string>();
    let events = 0;
    let rescans = false;
    let limit = parameters.INGEST_BATCH;
    const broken = new Set<string>();
    for (;;) {
      try {
        const batch = await this.#batch(database, parameters, broken, limit);
        events += batch.claimed;
        rescans ||= batch.rescans > 0;
        for (const target of batch.targets) targets.add(target);
        if (batch.claimed < limit) {
          await this.#recover(database, broken);
          return { events, targets, rescans, xmin: BigInt(batch.xmin) };
        }
        limit = Math.min(limit * 2, parameters.INGEST_BATCH);
      } catch (error) {
        if (isDataError(error)) {
          if (limit === 1) await this.#fail(database, broken, message(error));
          else limit = Math.ceil(limit / 2);
        } else if (isSchemaError(error)) {
          const sources = await this.#findBroken(database, parameters, broken);
          if (sources.size === 0) throw error;
          for (const source of sources) broken.add(source);
        } else throw error;
      }
    }
  }

  async #batch(
    database: Queryable,
    parameters: Parameters,
    broken: ReadonlySet<string>,
    limit: number,
  ): Promise<Batch> {
    const feeds = this.#feeds.filter(({ source }) => !broken.has(source));
    const batch = await this.#run(database, parameters, feeds, this.#sources(broken), limit);
    if (batch.claimed < limit && !batch.skipped && broken.size === 0) this.#lowWater = BigInt(batch.xmin);
    return batch;
  }

  async #run(
    database: Queryable,
    parameters: Parameters,
    feeds: readonly Feed[],
    sources: readonly string[],
    limit: number,
  ) {
    const text = ingestStatement(feeds);
    const { rows } = await database.query<Batch>({
      name: `ingest_${hashOf(text).slice(0, 16)}`,
      text,
      values: [
        this.#lowWater.toString(),
        limit,
        parameters.BULK_ROWS,
        sources,
        parameters.REFERENCE_SECONDS,
        this.#revision,
      ],
    });
    const [batch] = rows;
    if (!batch) throw new Error('ingest returned no row');
    return batch;
  }

  #sources(broken: ReadonlySet<string>): string[] {
    return [linkSource, ...new Set(this.#feeds.map(({ source }) => source).filter((source) => !broken.has(source)))];
  }

  /** Tries each source by itself, one event of it, and notes what is wrong with those that fail. */
  async #findBroken(database: Queryable, parameters: Parameters, broken: ReadonlySet<string>): Promise<Set<string>> {
    const found = new Set<string>();
    for (const source of this.#sources(broken)) {
      try {
        await this.#run(
          database,
          parameters,
          this.#feeds.filter((feed) => feed.source === source),
          [source],
          1,
        );
      } catch (error) {
        if (isDataError(error)) continue;
        if (!isSchemaError(error)) throw error;
        found.add(source);
        await database.query(
          `update staffetta.source set error = $2, error_at = clock_timestamp() where source = $1 and error is distinct from $2`,
          [source, message(error)],
        );
      }
    }
    return found;
  }

  /** Notes that sources which failed before have been ingested again. */
  async #recover(database: Queryable, broken: Set<string>): Promise<void> {
    const well = [...this.#broken].filter((source) => !broken.has(source));
    this.#broken = broken;
    if (well.length > 0) {
      await database.query(`update staffetta.source set error = null, error_at = null where source = any($1)`, [well]);
    }
  }

  /** Puts the one event that cannot be read aside, with the reason. */
  async #fail(database: Queryable, broken: ReadonlySet<string>, reason: string): Promise<void> {
    await database.query(
      `with first as materialized (
         select seq, xid from staffetta.event where xid >= $1::xid8 and source = any($2) order by xid, seq limit 1 for update skip locked),
       gone as (delete from staffetta.event e using first f where e.xid = f.xid and e.seq = f.seq returning e.*)
       insert into staffetta.event_failed (seq, xid, at, source, op, cols, actor, error)
       select seq, xid, at, source, op, cols, actor, $3 from gone`,
      [this.#lowWater.toString(), this.#sources(broken), reason],
    );
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
