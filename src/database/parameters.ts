import type { Queryable } from './transaction.ts';

/** The tunables of `staffetta.parameter` that are numbers; what they mean stands there. */
export interface Parameters {
  readonly LEASE_SECONDS: number;
  readonly POLL_SECONDS: number;
  readonly BULK_ROWS: number;
  readonly INGEST_BATCH: number;
  readonly FLOOD_TRANSACTIONS: number;
  readonly RETRY_ATTEMPTS: number;
  readonly RETRY_SECONDS: number;
  readonly RETRY_MAX_SECONDS: number;
  readonly WAIT_SECONDS: number;
  readonly WAIT_MAX_SECONDS: number;
  readonly ONE_SIDED_LIMIT: number;
  readonly REFERENCE_SECONDS: number;
  readonly ENTRY_BYTES: number;
  readonly JOURNAL_DAYS: number;
  readonly EVENT_FAILED_DAYS: number;
  readonly RECONCILE_DAYS: number;
}

/** What they are from the beginning; used for a row that somebody deleted. */
export const defaults: Parameters = {
  LEASE_SECONDS: 60,
  POLL_SECONDS: 2,
  BULK_ROWS: 500,
  INGEST_BATCH: 10_000,
  FLOOD_TRANSACTIONS: 1_000,
  RETRY_ATTEMPTS: 10,
  RETRY_SECONDS: 2,
  RETRY_MAX_SECONDS: 3600,
  WAIT_SECONDS: 1,
  WAIT_MAX_SECONDS: 60,
  ONE_SIDED_LIMIT: 20,
  REFERENCE_SECONDS: 2,
  ENTRY_BYTES: 4_000_000,
  JOURNAL_DAYS: 90,
  EVENT_FAILED_DAYS: 90,
  RECONCILE_DAYS: 90,
};

/** Reads the tunables as they are now. */
export async function readParameters(database: Queryable): Promise<Parameters> {
  const { rows } = await database.query<{ code: string; number: string }>(
    'select code, number from staffetta.parameter where number is not null',
  );
  return { ...defaults, ...Object.fromEntries(rows.map(({ code, number }) => [code, Number(number)])) };
}
