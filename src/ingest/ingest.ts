/**
 * Event → delivery, until nothing is left. What goes wrong stays where it belongs (PROTOCOL A10): a value that cannot
 * be read halves the batch down to the one event, which moves to `staffetta.event_failed`; a source whose table,
 * column or function is missing, or which fails in any other way, keeps its events, says so in `staffetta.source`, and
 * is tried again at the next drain, while the others go on.
 */
import { errorText } from '../database/error-text.ts';
import type { Parameters } from '../database/parameters.ts';
import { isDataError, isPassing } from '../database/sqlstate.ts';
import { Statistics } from '../database/statistics.ts';
import type { Queryable } from '../database/transaction.ts';
import { type Batch, type End, type Portion, type Position, peek, takeBatch } from './batch.ts';
import { Crowd } from './crowd.ts';
import { type Feed, linkSource } from './statement.ts';

/** What a drain, or a batch of it, did. */
export interface Drained {
  readonly events: number;
  /** That these events are of, counted once in each batch. */
  readonly transactions: number;
  /** Targets that have new deliveries. */
  readonly targets: ReadonlySet<string>;
  /** Whether a rescan is owed now that was not before. */
  readonly rescans: boolean;
  /** Every transaction before this one is over, and its events are in: the xmin of the last snapshot. */
  readonly xmin: bigint;
}

export interface DrainOptions {
  /** Told of each batch that took something, so that nobody has to wait for the rest. */
  readonly ingested?: (batch: Drained) => void;
  /** Ends the drain after the batch that is under way. */
  readonly stop?: AbortSignal;
}

/** An event that is at fault, if any is. */
interface Suspect extends Position {
  readonly source: string;
}

export class Ingest {
  readonly #feeds: readonly Feed[];
  readonly #revision: string;
  readonly #statistics = new Statistics('staffetta.delivery');
  #crowd = new Crowd();
  /**
   * Everything before it has been ingested, so that the scan need not pass dead rows. In memory only: it starts at 0
   * on each connection and at each sweep, and moves only past a snapshot of which nothing was skipped (PROTOCOL A8).
   */
  #lowWater = 0n;
  /** Sources that could not be ingested the last time; undefined: nobody knows, so all may have been. */
  #broken: ReadonlySet<string> | undefined;

  constructor(feeds: readonly Feed[], revision: string) {
    this.#feeds = feeds;
    this.#revision = revision;
  }

  /** Looks at every event again at the next drain. */
  reset(): void {
    this.#lowWater = 0n;
    this.#broken = undefined;
    this.#statistics.reset();
    this.#crowd = new Crowd();
  }

  /** Ingests until nothing that can be ingested is left. Throws only what is no fault of an event or a source. */
  async drain(database: Queryable, parameters: Parameters, { ingested, stop }: DrainOptions = {}): Promise<Drained> {
    let drained: Drained = { events: 0, transactions: 0, targets: new Set(), rescans: false, xmin: 0n };
    // Little at first, so that pumps have work while the rest of a large transaction is taken in; enough to see that it is large.
    let limit = Math.min(2 * parameters.BULK_ROWS, parameters.INGEST_BATCH);
    // Behind a full batch: else each would pass the dead rows of all before it, where a long transaction keeps them. What
    // others had locked, or what was committed behind it since, is found from the beginning, at last.
    let from: End | undefined;
    const broken = new Set<string>();
    const take = ({ claimed, transactions, rescans, targets, xmin }: Batch) => {
      const batch = {
        events: claimed,
        transactions,
        targets: new Set(targets),
        rescans: rescans > 0,
        xmin: BigInt(xmin),
      };
      if (batch.events > 0) ingested?.(batch);
      drained = {
        events: drained.events + batch.events,
        transactions: drained.transactions + batch.transactions,
        targets: drained.targets.union(batch.targets),
        rescans: drained.rescans || batch.rescans,
        xmin: batch.xmin,
      };
    };
    while (!stop?.aborted) {
      try {
        const nothing = from ? undefined : await this.#peek(database, broken);
        if (nothing) {
          take(nothing);
          await this.#recover(database, broken);
          break;
        }
        const batch = await this.#batch(database, parameters, broken, limit, from);
        take(batch);
        await this.#statistics.grown(database, batch.owed); // not the events: most of an initial load are echoes
        if (batch.claimed < limit && !from) {
          await this.#recover(database, broken);
          break;
        }
        from = batch.claimed < limit ? undefined : (batch.last ?? undefined);
        limit = Math.min(limit * 2, parameters.INGEST_BATCH);
      } catch (error) {
        if (isPassing(error)) throw error;
        if (!(await this.#isCurrent(database))) break;
        if (!isDataError(error) && (await this.#leaveOut(database, parameters, broken))) continue;
        if (limit > 1) limit = Math.ceil(limit / 2);
        else {
          await this.#isolate(database, parameters, broken, take);
          from = undefined;
        }
      }
    }
    return drained;
  }

  /** The batch that takes nothing, where there is nothing to take. */
  async #peek(database: Queryable, broken: ReadonlySet<string>): Promise<Batch | undefined> {
    const nothing = await peek(database, this.#beginning, this.#sources(broken));
    if (nothing && broken.size === 0) this.#lowWater = BigInt(nothing.xmin);
    return nothing;
  }

  async #batch(
    database: Queryable,
    parameters: Parameters,
    broken: ReadonlySet<string>,
    limit: number,
    from: End | undefined,
  ): Promise<Batch> {
    const feeds = this.#feeds.filter(({ source }) => !broken.has(source));
    const portion = {
      feeds,
      sources: this.#sources(broken),
      limit,
      from: from ?? this.#beginning,
      crowd: this.#crowd.known,
    };
    const batch = await takeBatch(database, parameters, this.#revision, portion);
    this.#crowd.learn(batch.crowd ?? {});
    if (batch.claimed < limit && !batch.skipped && !from && broken.size === 0) this.#lowWater = BigInt(batch.xmin);
    return batch;
  }

  get #beginning(): Position {
    return { xid: this.#lowWater.toString(), seq: '-1' };
  }

  /** What there is of one source. */
  #of(source: string): Pick<Portion, 'feeds' | 'sources' | 'from'> {
    return { feeds: this.#feeds.filter((feed) => feed.source === source), sources: [source], from: this.#beginning };
  }

  #sources(broken: ReadonlySet<string>): string[] {
    return [linkSource, ...new Set(this.#feeds.map(({ source }) => source).filter((source) => !broken.has(source)))];
  }

  /** Whether the sources are still those that the last `apply` knew (PROTOCOL C7); else their errors are nobody's. */
  async #isCurrent(database: Queryable): Promise<boolean> {
    const { rows } = await database.query('select from staffetta.installation where revision = $1', [this.#revision]);
    return rows.length > 0;
  }

  /** Leaves out every source whose statement fails though it takes no event. Answers whether there was one. */
  async #leaveOut(database: Queryable, parameters: Parameters, broken: Set<string>): Promise<boolean> {
    const before = broken.size;
    for (const source of this.#sources(broken)) await this.#probe(database, parameters, source, broken);
    return broken.size > before;
  }

  /** Runs the statement of one source for no event at all; leaves the source out if that fails. Answers whether it is well. */
  async #probe(database: Queryable, parameters: Parameters, source: string, broken: Set<string>): Promise<boolean> {
    try {
      await takeBatch(database, parameters, this.#revision, { ...this.#of(source), limit: 0 });
      return true;
    } catch (error) {
      await this.#break(database, source, error, broken);
      return false;
    }
  }

  /** A source keeps its events for now, and says why. */
  async #break(database: Queryable, source: string, error: unknown, broken: Set<string>): Promise<void> {
    if (isPassing(error) || source === linkSource) throw error;
    broken.add(source);
    await database.query(
      `update staffetta.source set error = $2, error_at = clock_timestamp() where source = $1 and error is distinct from $2`,
      [source, errorText(error)],
    );
  }

  /**
   * Takes the first event by itself: if its value is at fault it is put aside with the reason, if anything else is, its
   * source is left out. By its number, since others ingest at the same time and another event may be first by now.
   * Afterwards there is an event or a source less to take, unless others are at what is left, or have put it aside.
   */
  async #isolate(
    database: Queryable,
    parameters: Parameters,
    broken: Set<string>,
    take: (batch: Batch) => void,
  ): Promise<void> {
    const { rows } = await database.query<Suspect>(
      `select xid::text, seq, source from staffetta.event where xid >= $1::xid8 and source = any($2) order by xid, seq limit 1 for update skip locked`,
      [this.#lowWater.toString(), this.#sources(broken)],
    );
    const [suspect] = rows;
    if (!suspect) return;
    const { source } = suspect;
    if (!(await this.#probe(database, parameters, source, broken))) return;
    try {
      take(await takeBatch(database, parameters, this.#revision, { ...this.#of(source), limit: 1, only: suspect.seq }));
    } catch (error) {
      if (isDataError(error)) await putAside(database, suspect, errorText(error));
      else await this.#break(database, source, error, broken);
    }
  }

  /** Notes that sources which failed before have been ingested again. */
  async #recover(database: Queryable, broken: ReadonlySet<string>): Promise<void> {
    const well = [...(this.#broken ?? this.#sources(broken))].filter((source) => !broken.has(source));
    this.#broken = broken;
    if (well.length === 0) return;
    await database.query(
      `update staffetta.source set error = null, error_at = null where source = any($1) and error is not null`,
      [well],
    );
  }
}

/** Moves an event that cannot be read to where people see it. */
async function putAside(database: Queryable, { xid, seq }: Suspect, reason: string): Promise<void> {
  await database.query(
    `with gone as (delete from staffetta.event where xid = $1::xid8 and seq = $2 returning *)
     insert into staffetta.event_failed (seq, xid, at, source, op, cols, actor, error)
     select seq, xid, at, source, op, cols, actor, $3 from gone`,
    [xid, seq, reason],
  );
}
