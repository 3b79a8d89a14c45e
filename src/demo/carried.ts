import type pg from 'pg';

/** What came of a change in the directory. */
export interface Carried extends pg.QueryResultRow {
  readonly entity: string;
  /** Writes to entries. */
  readonly writes: number;
  /** From the beginning of the change until the last of them was written, in milliseconds. */
  readonly ms: number;
}

/** A moment of the database's clock, in full. */
export async function moment(database: pg.Pool): Promise<string> {
  const { rows } = await database.query<{ now: string }>('select clock_timestamp()::text as now');
  return rows[0]?.now ?? '';
}

/** What the journal says was written to the directory since a moment, by entity. */
export async function carriedSince(database: pg.Pool, since: string): Promise<Carried[]> {
  const { rows } = await database.query<Carried>(
    `select entity, sum(count)::float8 as writes, (1000 * extract(epoch from max(at) - $1::timestamptz))::float8 as ms
     from staffetta.journal where at > $1::timestamptz and target = 'directory' and result = 'done' and operation <> 'none' group by entity`,
    [since],
  );
  return rows;
}

/** How long changes of an entity took to the directory since a moment, in milliseconds, from the change itself until it was settled. */
export async function lagsSince(
  database: pg.Pool,
  entity: string,
  since: string,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const { rows } = await database.query<{ p50: number; p99: number }>(
    `select round((1000 * percentile_cont(0.5) within group (order by extract(epoch from lag)))::numeric, 1)::float8 as p50,
       round((1000 * percentile_cont(0.99) within group (order by extract(epoch from lag)))::numeric, 1)::float8 as p99
     from staffetta.journal where at > $1::timestamptz and target = 'directory' and entity = $2 and result = 'done' and operation <> 'none'`,
    [since, entity],
  );
  return rows[0] ?? { p50: Number.NaN, p99: Number.NaN };
}
