import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
});
afterAll(() => db.close());

test('what is older than its parameter says is deleted, table by table, and nothing else', async () => {
  await db.query(
    `create table staffetta.journal_20200101 partition of staffetta.journal for values from ('2020-01-01') to ('2020-01-02')`,
  );
  await db.query(
    `insert into staffetta.journal (at, target, entity, key, operation, result) values ('2020-01-01 12:00Z', 'directory', 'person', '1', 'create', 'done')`,
  );
  await db.query(`
    insert into staffetta.event_failed (seq, xid, at, source, op, actor, failed_at, error)
    select days, '1', now(), 'registry.person', 'U', 'app', now() - days * interval '1 day', 'x' from unnest('{1, 9, 11}'::int[]) days`);
  await db.query(`
    insert into staffetta.reconcile_run (target, entity, repair, complete, finished_at)
    select 'directory', 'person', false, true, now() - days * interval '1 day' from unnest('{1, 9, 11}'::int[]) days`);
  await db.query(
    `insert into staffetta.reconcile_drift (run, key, what) select run, '1', 'missing' from staffetta.reconcile_run`,
  );
  await db.query(`insert into staffetta.reconcile_run (target, entity, repair) values ('directory', 'team', false)`);
  await db.query(`update staffetta.parameter set number = 10 where code in ('EVENT_FAILED_DAYS', 'RECONCILE_DAYS')`);

  const admin = await db.connectAs('staffetta_admin');
  expect((await admin.query('select * from staffetta.prune()')).rows).toEqual([
    { relation: 'journal (days)', deleted: '1' },
    { relation: 'event_failed', deleted: '1' },
    { relation: 'reconcile_run', deleted: '1' },
  ]);
  expect(await db.query('select count(*)::int from staffetta.journal')).toEqual([{ count: 0 }]);
  expect(await db.query('select seq::int from staffetta.event_failed order by 1')).toEqual([{ seq: 1 }, { seq: 9 }]);
  expect(await db.query('select count(*)::int from staffetta.reconcile_run')).toEqual([{ count: 3 }]);
  expect(await db.query('select count(*)::int from staffetta.reconcile_drift')).toEqual([{ count: 2 }]);
  expect(
    await db.query(`select count(*)::int from pg_inherits where inhparent = 'staffetta.journal'::regclass`),
  ).toEqual([{ count: 8 }]);
});
