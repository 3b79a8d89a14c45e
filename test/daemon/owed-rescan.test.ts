import { afterEach, beforeEach, describe, test } from 'vitest';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

/** A sweep once a year: what is done within the test is not done by the next one. */
const hardlyEver = ['targets:\n', 'schedule: { sweep: "0 0 1 1 *" }\ntargets:\n'] as const;

describe('a rescan that is owed', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const done = () =>
    until(
      () => query('select sum(rescan)::int as owed from staffetta.route'),
      ([row]) => row?.owed === 0,
    );

  beforeEach(async () => {
    registry = await createRegistry();
    await registry.configure(hardlyEver);
    await registry.apply();
  });
  afterEach(() => registry.close());

  test('because the configuration went and came back is done at once, though the daemon may not have noticed', async () => {
    await registry.start();
    await done();
    await registry.configure(hardlyEver, ['roomNumber: { from: room }', 'departmentNumber: { from: room }']);
    await registry.apply();
    await registry.configure(hardlyEver);
    await registry.apply();
    await done();
  });

  test('is tried again where its connection was lost', async () => {
    await registry.start();
    await done();
    const administrator = await connect(registry.url);
    await administrator.query('begin');
    await administrator.query('lock table registry.person in access exclusive mode');
    await query('truncate registry.email');
    const rescanning = `datname = current_database() and application_name = 'staffetta' and query like '%staffetta.rescan%' and state = 'active'`;
    await until(
      () => query(`select pg_terminate_backend(pid) from pg_stat_activity where ${rescanning}`),
      (ended) => ended.length > 0,
    );
    await administrator.query('rollback');
    await administrator.end();
    await done();
  });
});
