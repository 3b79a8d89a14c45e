import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../src/database/migrate.ts';
import { defaults, readParameters } from '../../src/database/parameters.ts';
import { createPool } from '../../src/database/pool.ts';
import { createDatabase, type Database } from '../setup/database.ts';

let database: Database;
let pool: ReturnType<typeof createPool>;
beforeAll(async () => {
  database = await createDatabase();
  pool = createPool(database.url, 'test');
  await migrate(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('a new installation has the defaults, each within its limits', async () => {
  expect(await readParameters(pool)).toEqual(defaults);
  expect(
    await database.query(
      'select code from staffetta.parameter where number < minimum or number > maximum or description is null',
    ),
  ).toEqual([]);
});

test('what is set is read, as a number; what was deleted is the default', async () => {
  await database.query(`update staffetta.parameter set number = 0.25 where code = 'POLL_SECONDS'`);
  await database.query(`delete from staffetta.parameter where code = 'BULK_ROWS'`);
  expect(await readParameters(pool)).toEqual({ ...defaults, POLL_SECONDS: 0.25 });
});
