/** What a daemon does by the clock, without anybody asking. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { drift } from '../reconcile/comparing.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
const query = (sql: string) => registry.query(sql);
beforeAll(async () => {
  registry = await createRegistry();
  // The pruning is at this minute, too.
  await registry.configure(
    ['targets:\n', 'schedule: { sweep: "* * * * *", rescan: "17 0 * * *", reconcile: "17 0 * * *" }\ntargets:\n'],
    ['        deprovision: delete', '        deprovision: [{ after: 30d, do: delete }]'],
  );
  await registry.apply();
  await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla')`);
});
afterAll(async () => {
  vi.useRealTimers();
  await registry.close();
});

test('the sweep, the rescan, the reconcile and the pruning come when their minute comes', async () => {
  // This machine's clock stands just before that minute, yesterday: what counts otherwise is the clock of the database.
  const midnight = new Date().setUTCHours(0, 0, 0, 0) - 86_400_000;
  vi.useFakeTimers({ toFake: ['Date'], now: midnight + 16 * 60_000 + 59_500 });
  await registry.start();
  await registry.calm();
  await query('delete from registry.person where id = 3');
  await registry.calm();
  expect(await query('select key, next_step from staffetta.deprovisioning')).toEqual([
    { key: '3', next_step: 'delete' },
  ]);

  await query(`update staffetta.link set absent_since = absent_since - interval '30 days'`);
  await query(
    `begin; set local session_replication_role = replica; update registry.person set surname = 'Verdi' where id = 1; commit`,
  );
  const bruno = await registry.person(2);
  await registry.directory.modify(`dn: ${bruno?.dn}\nchangetype: modify\nreplace: sn\nsn: Neri\n`);
  await query(
    `create table staffetta.journal_20200101 partition of staffetta.journal for values from ('2020-01-01') to ('2020-01-02')`,
  );
  expect([await registry.person(1), await registry.person(3)]).toMatchObject([{ sn: ['Rossi'] }, { uid: ['carla'] }]);
  expect(await query('select from staffetta.reconcile_run')).toEqual([]);

  vi.setSystemTime(midnight + 17 * 60_000 + 200);
  const done = {
    sweep: async () => (await registry.person(3)) === undefined,
    rescan: async () => (await registry.person(1))?.sn?.[0] === 'Verdi',
    reconcile: async () =>
      (await query('select from staffetta.reconcile_run where complete and not repair')).length === 2,
    prune: async () =>
      (await query(`select from pg_class where oid = to_regclass('staffetta.journal_20200101')`)).length === 0,
  };
  for (const [what, look] of Object.entries(done)) await until(look, Boolean, { what: `that the ${what} has come` });
  await registry.calm();
  expect(await drift(registry)).toContain('person 2 changed (sn)');
  expect((await registry.person(2))?.sn).toEqual(['Neri']);
});
