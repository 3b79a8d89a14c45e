import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { bringUpToDate, compare, drift } from './comparing.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.query(`insert into registry.person (id, uid) select n, 'user' || n from generate_series(1, 3) n`);
});
afterAll(() => registry.close());
beforeEach(async () => {
  await compare(registry, 'person', { repair: true });
  await bringUpToDate(registry);
  await registry.query('truncate staffetta.reconcile_run cascade');
  await registry.query('update staffetta.route set reconcile = 0, reconcile_retry_at = null');
  await registry.directory.modify(
    `dn: uid=user1,ou=people,${registry.directory.suffix}\nchangetype: modify\nreplace: sn\nsn: Neri\n`,
  );
});

const owe = () => registry.query(`update staffetta.route set reconcile = 1`);
const owed = async () => (await registry.query('select from staffetta.route where reconcile > 0')).length;
const runs = () =>
  registry.query<{ entity: string; repair: boolean; complete: boolean; error: string | null }>(
    'select entity, repair, complete, error from staffetta.reconcile_run where finished_at is not null order by entity, run',
  );

test('a daemon does the reconciles that are owed, and they repair', async () => {
  await owe();
  const daemon = await registry.start();
  await until(owed, (count) => count === 0, { what: 'that nothing is owed' });
  await registry.calm();
  expect(await registry.differences()).toEqual([]);
  expect(await runs()).toEqual([
    { entity: 'person', repair: true, complete: true, error: null },
    { entity: 'team', repair: true, complete: true, error: null },
  ]);
  await daemon.stop();
});

test('what several jobs find owed is done once', async () => {
  const daemon = await registry.start();
  await registry.query(
    `update staffetta.route set reconcile = 1;
     select graphile_worker.add_job('reconcile', '{}', job_key := n::text) from generate_series(1, 3) n`,
  );
  await until(owed, (count) => count === 0, { what: 'that nothing is owed' });
  await until(
    () => registry.query(`select from graphile_worker.jobs where task_identifier = 'reconcile'`),
    ({ length }) => length === 0,
  );
  expect((await runs()).map(({ entity }) => entity)).toEqual(['person', 'team']);
  await daemon.stop();
});

test('`run --once` does them, too', async () => {
  await owe();
  await bringUpToDate(registry);
  expect(await owed()).toBe(0);
  expect(await registry.differences()).toEqual([]);
});

test('a scheduled one reports only: what people did may have been meant', async () => {
  const daemon = await registry.start();
  await registry.query(`select graphile_worker.add_job('reconcile', '{"all": true}')`);
  await until(runs, ({ length }) => length === 2);
  expect(await drift(registry)).toEqual(['person 1 changed (sn)']);
  expect((await runs()).map(({ repair }) => repair)).toEqual([false, false]);
  await daemon.stop();
  expect((await registry.person(1))?.sn).toEqual(['Neri']);
});

test('one that failed is owed still, and tried again after a pause', async () => {
  await owe();
  await registry.directory.stop();
  const daemon = await registry.start();
  try {
    await until(runs, ({ length }) => length === 2);
    expect((await runs()).map(({ complete, error }) => ({ complete, told: error?.includes('ECONNREFUSED') }))).toEqual([
      { complete: false, told: true },
      { complete: false, told: true },
    ]);
    expect(await owed()).toBe(2);
    const failures = await registry.query(`select from staffetta.failures where failure = 'reconcile'`);
    expect(failures).toHaveLength(2);
    await registry.query('select staffetta.sweep()');
    await until(
      () => registry.query(`select from graphile_worker.jobs where task_identifier in ('sweep', 'reconcile')`),
      ({ length }) => length === 0,
    );
    expect(await runs()).toHaveLength(2); // its pause is not over
  } finally {
    await registry.directory.start();
  }
  await registry.query('update staffetta.route set reconcile_retry_at = clock_timestamp()');
  await registry.query('select staffetta.sweep()');
  await until(owed, (count) => count === 0, { what: 'that nothing is owed' });
  await registry.calm();
  await daemon.stop();
  expect(await registry.differences()).toEqual([]);
});

test('a target that refuses our password is quarantined instead of being asked again', async () => {
  await owe();
  await registry.configure([`password: "\${LDAP_PASSWORD}"`, 'password: wrong']);
  const daemon = await registry.start();
  const [target] = await until(
    () => registry.query<{ state: string; reason: string }>('select state, reason from staffetta.target'),
    ([one]) => one?.state === 'quarantined',
  );
  expect(target?.reason).toContain('49');
  await until(
    () => registry.query(`select from graphile_worker.jobs where task_identifier = 'reconcile'`),
    ({ length }) => length === 0,
    { what: 'that the job is done with the other entities of the target, too' },
  );
  expect((await runs()).length).toBe(1);
  await daemon.stop();
  await registry.configure();
  await registry.query('select staffetta.retry()');
});
