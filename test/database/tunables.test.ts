import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../../src/database/pool.ts';
import { Tunables } from '../../src/database/tunables.ts';
import { createDatabase, type Database } from '../setup/database.ts';

let database: Database;
let pool: ReturnType<typeof createPool>;
beforeAll(async () => {
  database = await createDatabase();
  pool = createPool(database.url, 'test tunables');
  await pool.query(
    `create schema staffetta; create table staffetta.parameter (code text, number numeric); insert into staffetta.parameter values ('POLL_SECONDS', 1)`,
  );
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const set = (seconds: number) => pool.query('update staffetta.parameter set number = $1', [seconds]);

test('the tunables are kept for those who ask with every change, and read again when told that they are others', async () => {
  const tunables = new Tunables(pool);
  expect((await tunables.read()).POLL_SECONDS).toBe(1);
  await set(2);
  expect(await tunables.read()).toBe(await tunables.read());
  tunables.forget();
  expect((await tunables.read()).POLL_SECONDS).toBe(2);
});

test('what could not be read is read for the next one who asks', async () => {
  const tunables = new Tunables(pool);
  await pool.query('alter table staffetta.parameter rename to away');
  await expect(tunables.read()).rejects.toThrow('does not exist');
  await pool.query('alter table staffetta.away rename to parameter');
  await set(3);
  expect((await tunables.read()).POLL_SECONDS).toBe(3);
});
