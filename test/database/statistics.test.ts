import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../../src/database/pool.ts';
import { Statistics } from '../../src/database/statistics.ts';
import { createDatabase, type Database } from '../setup/database.ts';

let database: Database;
let pool: ReturnType<typeof createPool>;
beforeAll(async () => {
  database = await createDatabase();
  pool = createPool(database.url, 'test statistics');
  await pool.query('create table debt (n int) with (autovacuum_enabled = off)');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** How many rows the planner believes the table to hold. */
async function believed(): Promise<number> {
  const { rows } = await pool.query<{ believed: number }>(
    `select reltuples::int as believed from pg_class where relname = 'debt'`,
  );
  return rows[0]?.believed ?? Number.NaN;
}

test('the planner is told each time that the rows have doubled, and soon again after a reset', async () => {
  const statistics = new Statistics('public.debt');
  const grow = async (rows: number) => {
    await pool.query('insert into debt select generate_series(1, $1::int)', [rows]);
    await statistics.grown(pool, rows);
    return believed();
  };
  expect(await grow(999)).toBe(-1); // nothing is known
  expect(await grow(1)).toBe(1000);
  expect(await grow(1999)).toBe(1000);
  expect(await grow(1)).toBe(3000);
  statistics.reset();
  expect(await grow(1000)).toBe(4000);
});
