import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/until.ts';
import { configuration, createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite('create table registry.person (id bigint primary key)');
});
afterAll(() => site.close());

const config = configuration({ person: { view: 'registry.person', sources: { 'registry.person': 'id' } } });

test('an apply that loses its connection while it looks says why, and keeps no connection that nobody ends', async () => {
  const holder = await site.connect();
  await holder.query('begin; lock table registry.person in access exclusive mode');
  const applied = expect(site.apply(config)).rejects.toThrow(/terminat/);
  const [waiting] = await until(
    () =>
      site.query<{ pid: number }>(
        `select pid from pg_locks where relation = 'registry.person'::regclass and not granted`,
      ),
    (found) => found.length > 0,
    { what: 'apply waits for the table' },
  );
  await site.query('select pg_terminate_backend($1)', [waiting?.pid]);
  await applied;
  await until(
    () => site.pool.totalCount - site.pool.idleCount,
    (inUse) => inUse === 0,
    { what: 'that no connection is in use' },
  );
  await holder.query('rollback');
  expect((await site.apply(config)).captured).toEqual(['registry.person']);
});
