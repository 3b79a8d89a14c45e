import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFewPool } from '../../src/database/pool.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
let few: pg.Pool;
beforeAll(async () => {
  stage = await createStage();
  few = createFewPool(stage.database.url, 'staffetta test few', 1);
});
afterAll(async () => {
  await few.end();
  await stage.close();
});

const deliver = async (id: number) => {
  await stage.addPerson(id, `p${id}`);
  await stage.owe('person', id);
  const { outcomes } = await stage.deliver(await stage.claim(), undefined, undefined, few);
  expect(outcomes).toMatchObject([{ key: String(id), outcome: 'done' }]);
};

/** How many rows were read of the tables that grow, as far as the statements about a few keys did. */
const rowsRead = async () => {
  await few.query('select pg_stat_force_next_flush()');
  const [sum] = await stage.query<{ rows: number }>(
    `select sum(seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_user_tables
     where schemaname = 'staffetta' and relname in ('delivery', 'link', 'remote_id', 'remote_value', 'reference')`,
  );
  return sum?.rows ?? 0;
};

test('what was planned for a few keys while there was nobody reads but a few rows when there are many and statistics say so', async () => {
  await deliver(1);
  await stage.query('vacuum analyze staffetta.delivery, staffetta.link, staffetta.remote_id, staffetta.reference');
  await deliver(2);
  await stage.query(
    `insert into staffetta.delivery (target, entity, key, due_at) select 'directory', 'person', 'd' || n, 'infinity' from generate_series(1, 20000) n`,
  );
  await stage.query(
    `insert into staffetta.link (target, entity, key, remote_id, state, attributes, epoch)
     select 'directory', 'person', 'd' || n, 'uid=d' || n, 'active', '{}', 1 from generate_series(1, 20000) n`,
  );
  await stage.query('analyze staffetta.delivery, staffetta.link'); // as is done while they fill
  const before = await rowsRead();
  await deliver(3);
  expect((await rowsRead()) - before).toBeLessThan(50);
});
