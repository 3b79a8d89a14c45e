import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
let admin: pg.Client;
beforeAll(async () => {
  db = await createInstallation();
  await db.query(`
    create table staffetta.journal_old partition of staffetta.journal for values from ('2000-01-01') to ('2026-01-01');
    create table staffetta.journal_now partition of staffetta.journal for values from ('2026-01-01') to ('2100-01-01');
    insert into staffetta.source (source, relation, columns, notify) values ('registry.person', 0, '{id}', true), ('registry.room', 0, '{name}', true);
    create function staffetta.keys_person(cols text[]) returns setof text language sql as 'select (cols[1]::bigint)::text';
    insert into staffetta.feed values ('registry.person', 'person', 'staffetta.keys_person');`);
  admin = await db.connectAs('staffetta_admin');
});
afterAll(() => db.close());

/** Person 42, who has left the view, and 43, who has nothing to do with it. */
beforeEach(async () => {
  await db.database.query(
    'truncate registry.person, staffetta.event, staffetta.event_failed, staffetta.delivery, staffetta.link, staffetta.reference, staffetta.remote_id, staffetta.remote_value, staffetta.journal, staffetta.reconcile_run cascade',
  );
  await db.query(`
    update staffetta.target set state = 'active', reason = null;
    insert into staffetta.link (target, entity, key, remote_id, state, attributes) values
      ('directory', 'person', '42', 'uid=ada', 'disabled', '{"mail": ["ada@example.org"]}'), ('directory', 'person', '43', 'uid=eve', 'active', '{}'),
      ('directory', 'team', '42', 'cn=choir', 'active', '{}');
    insert into staffetta.remote_id (target, normalised, entity, key) values
      ('directory', 'uid=ada', 'person', '42'), ('directory', 'uid=eve', 'person', '43');
    insert into staffetta.remote_value (target, attribute, normalised, entity, key) values
      ('directory', 'mail', 'ada@example.org', 'person', '42');
    insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key, applied) values
      ('directory', 'team', '42', 'member', 'person', '42', 'uid=ada'), ('directory', 'team', '42', 'member', 'person', '43', 'uid=eve'),
      ('directory', 'team', '7', 'member', 'person', '42', null);
    insert into staffetta.delivery (target, entity, key, state, attempts, error) values
      ('badge', 'person', '42', 'parked', 1, 'ada@example.org is taken'), ('badge', 'person', '43', 'parked', 1, 'x');
    insert into staffetta.journal (at, target, entity, key, operation, result, remote_id) values
      ('2025-06-01', 'directory', 'person', '42', 'create', 'done', 'uid=ada'), ('2026-06-01', 'directory', 'person', '42', 'update', 'done', 'uid=ada'),
      ('2026-06-01', 'former', 'person', '42', 'remove', 'done', 'ada'), ('2026-06-01', 'directory', 'person', '43', 'create', 'done', 'uid=eve');
    insert into staffetta.event_failed (seq, xid, at, source, op, cols, actor, error) values
      (1, '1', now(), 'registry.person', 'U', '{42,ada}', 'app', 'x'), (2, '1', now(), 'registry.person', 'U', '{43,42}', 'app', 'x'),
      (3, '1', now(), 'registry.person', 'U', '{ada,42}', 'app', 'x'), (4, '1', now(), 'registry.room', 'U', '{42}', 'app', 'x');
    with run as (insert into staffetta.reconcile_run (target, entity, repair) values ('directory', 'person', false), ('directory', 'team', false) returning run)
    insert into staffetta.reconcile_drift (run, key, what) select run, '42', 'changed' from run;`);
});

const erase = async (key = '42', dryRun = false) =>
  (await admin.query('select * from staffetta.erase($1, $2, $3)', ['person', key, dryRun])).rows;

const forgotten = [
  {
    target: 'badge',
    remote_id: null,
    journal: '0',
    deliveries: '1',
    members: '0',
    note: 'holds no entry of it',
  },
  {
    target: 'directory',
    remote_id: 'uid=ada',
    journal: '2',
    deliveries: '0',
    members: '2',
    note: "its entry is there still (disabled), and nobody's: remove it by hand",
  },
  { target: 'former', remote_id: null, journal: '1', deliveries: '0', members: '0', note: 'holds no entry of it' },
];

/** Tables and rows that tell of the person. */
const traces = async () => {
  const tables = await db.query<{ relation: string; column: string }>(
    `select c.oid::regclass::text as relation, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'staffetta'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attname in ('key', 'ref_key')
       and exists (select from pg_attribute e where e.attrelid = c.oid and e.attname = 'entity')`,
  );
  const found: string[] = [];
  for (const { relation, column } of tables) {
    const rows = await db.query(
      `select from ${relation} where ${column === 'key' ? 'entity' : 'ref_entity'} = 'person' and ${column} = '42'`,
    );
    if (rows.length > 0) found.push(`${relation}.${column}: ${rows.length}`);
  }
  return found.sort();
};

describe('erase', () => {
  test('forgets a person everywhere, says which targets hold them, and leaves others alone', async () => {
    expect(await traces()).toEqual([
      'staffetta.delivery.key: 1',
      'staffetta.journal.key: 3',
      'staffetta.link.key: 1',
      'staffetta.reference.ref_key: 2',
      'staffetta.remote_id.key: 1',
      'staffetta.remote_value.key: 1',
    ]);
    expect(await erase(' 042')).toEqual(forgotten);
    expect(await traces()).toEqual([]);
    expect(await db.query(`select key from staffetta.link order by entity`)).toEqual([{ key: '43' }, { key: '42' }]);
    expect(await db.query(`select key from staffetta.journal`)).toEqual([{ key: '43' }]);
    expect(await db.query(`select ref_key from staffetta.reference`)).toEqual([{ ref_key: '43' }]);
    // 2 is about 43; what 3 is about cannot be computed, and it holds the key; 4 is not about people
    expect(await db.query(`select seq::int from staffetta.event_failed order by 1`)).toEqual([{ seq: 2 }, { seq: 4 }]);
    expect(
      await db.query(`select r.entity from staffetta.reconcile_drift d join staffetta.reconcile_run r using (run)`),
    ).toEqual([{ entity: 'team' }]);
  });

  test('has the groups read that hold the entry, without a word on whose it is', async () => {
    await erase();
    expect(
      await db.query(`select entity, key, unsure, last_cause from staffetta.delivery where target = 'directory'`),
    ).toEqual([{ entity: 'team', key: '42', unsure: true, last_cause: 'a member was erased' }]);
  });

  test('that is only tried says the same and changes nothing', async () => {
    const before = await traces();
    expect(await erase('42', true)).toEqual(forgotten);
    expect(await traces()).toEqual(before);
    expect(await db.query(`select from staffetta.delivery where entity = 'team'`)).toEqual([]);
  });

  test('of somebody who is not known does nothing', async () => {
    expect(await erase('99')).toEqual([]);
  });

  test('is refused while the person is in the view, but not once no target follows them', async () => {
    await db.database.query(`insert into registry.person (id, uid, name) values (42, 'ada', 'Ada')`);
    await expect(erase()).rejects.toThrow(
      'person 42 is in the view that target "badge" follows, and would come back. Delete the row, or have the view leave it out; erase it when that has been carried.',
    );
    expect(await traces()).not.toEqual([]);
    await db.database.query('update registry.person set guest = true');
    expect(await erase()).toEqual(forgotten);
  });

  test('is refused while a change is on its way, unless its target is paused', async () => {
    await db.query(
      `update staffetta.delivery set state = 'pending', due_at = now() + interval '5 s', absent_since = now(), attempts = 0, error = null`,
    );
    await expect(erase()).rejects.toThrow('A change of person 42 is still on its way to target "badge" (left the view');
    await db.query(`select staffetta.pause('badge')`);
    expect(await erase()).toEqual(forgotten);
  });

  test('tells of an entry that an interrupted attempt may have left', async () => {
    await db.query(`update staffetta.delivery set unsure = true, stray = '{card=42}' where key = '42'`);
    expect((await erase())[0]).toMatchObject({
      target: 'badge',
      remote_id: 'card=42',
      note: 'an interrupted attempt may have left an entry there: look',
    });
  });
});
