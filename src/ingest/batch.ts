import { hashOf } from '../database/generated.ts';
import type { Parameters } from '../database/parameters.ts';
import { grace, patience } from '../database/pool.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Counts } from './crowd.ts';
import { type Feed, ingestStatement } from './statement.ts';

/** A place in the order of events. */
export interface Position {
  readonly xid: string;
  readonly seq: string;
}

/** Where a batch ended. */
export interface End extends Position {
  /** Its transaction is bulk: so is what is left of it, however little that is (PROTOCOL A9). */
  readonly bulk: boolean;
}

/** What a statement took. */
export interface Batch {
  readonly claimed: number;
  /** The transactions that these events are of. */
  readonly transactions: number;
  readonly rescans: number;
  /** Deliveries that were written, new or again. */
  readonly owed: number;
  readonly targets: readonly string[];
  /** How many members are still to be delivered in bulk, of those that came, moved or went; null: none did. */
  readonly crowd: Counts | null;
  readonly xmin: string;
  /** There were events that others are at. */
  readonly skipped: boolean;
  /** Where the batch ended; null: it took nothing. */
  readonly last: End | null;
}

/** What to take: events of these sources behind a place, at most so many, or only the one of this number. */
export interface Portion {
  readonly feeds: readonly Feed[];
  readonly sources: readonly string[];
  readonly from: Position | End;
  readonly limit: number;
  readonly only?: string;
  /** How many members are still to be delivered in bulk, where that is known. */
  readonly crowd?: Counts;
}

/**
 * The batch that takes nothing, where there is nothing to take: the drains of one who parks mostly find nothing, and
 * ingest's own statement takes longer to plan than this takes in all.
 */
export async function peek(
  database: Queryable,
  from: Position,
  sources: readonly string[],
): Promise<Batch | undefined> {
  const { rows } = await database.query<{ some: boolean; xmin: string }>({
    name: 'ingest_peek',
    text: `select exists (select from staffetta.event where (xid, seq) > ($1::xid8, $2::bigint) and source = any ($3)) as some,
      pg_snapshot_xmin(pg_current_snapshot())::text as xmin`,
    values: [from.xid, from.seq, sources],
  });
  const [seen] = rows;
  if (!seen || seen.some) return undefined;
  return {
    claimed: 0,
    transactions: 0,
    rescans: 0,
    owed: 0,
    targets: [],
    crowd: null,
    xmin: seen.xmin,
    skipped: false,
    last: null,
  };
}

export async function takeBatch(
  database: Queryable,
  parameters: Parameters,
  revision: string,
  { feeds, sources, from, limit, only, crowd = {} }: Portion,
): Promise<Batch> {
  const text = ingestStatement(feeds);
  const { rows } = await database.query<Batch>({
    name: `ingest_${hashOf(text).slice(0, 16)}`,
    text,
    query_timeout: patience.everything + grace,
    values: [
      from.xid,
      limit,
      parameters.BULK_ROWS,
      sources,
      parameters.REFERENCE_SECONDS,
      revision,
      only,
      from.seq,
      JSON.stringify(crowd),
      'bulk' in from && from.bulk ? from.xid : '0',
    ],
  });
  const [batch] = rows;
  if (!batch) throw new Error('ingest returned no row');
  return batch;
}
