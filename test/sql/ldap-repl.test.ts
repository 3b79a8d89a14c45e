import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
let operator: pg.Client;
beforeAll(async () => {
  db = await createInstallation();
  await db.query(`
    create table staffetta.journal_now partition of staffetta.journal for values from ('2000-01-01') to ('2100-01-01');
    insert into staffetta.source (source, relation, columns, notify) values ('registry.person', 0, '{id}', true);
    create function staffetta.keys_person(cols text[]) returns setof text language sql as 'select (cols[1]::bigint)::text';
    insert into staffetta.feed values ('registry.person', 'person', 'staffetta.keys_person');
    delete from staffetta.route where target = 'badge';`);
  await db.database.query(
    `insert into registry.person (id, uid, name) values (42, 'ada', 'Ada'), (44, 'guest', 'Guest')`,
  );
  await db.database.query('update registry.person set guest = true where id = 44');
  operator = await db.connectAs('staffetta_operator');
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.query('truncate staffetta.event, staffetta.delivery, staffetta.journal');
  await db.query(`update staffetta.target set state = 'active'`);
});

const states = async () =>
  (await operator.query('select * from staffetta.ldap_repl order by state, key')).rows.map(
    ({ key, state }) => `${key} ${state}`,
  );

describe('ldap_repl', () => {
  test('shows a captured change with its person, cause, actor and time', async () => {
    await db.query(
      `insert into staffetta.event (source, op, cols, actor, at) values ('registry.person', 'U', '{042}', 'app', '2026-01-31 08:00Z')`,
    );
    const { rows } = await operator.query('select * from staffetta.ldap_repl');
    expect(rows).toEqual([
      {
        state: 'ATTIVARE',
        target: 'directory',
        entity: 'person',
        key: '42',
        cause: 'update registry.person',
        actor: 'app',
        captured_at: new Date('2026-01-31T08:00Z'),
        next_at: null,
        ended_at: null,
        attempts: 0,
        note: 'captured, not ingested yet',
      },
    ]);
  });

  test('shows the columns of captured changes of which the keys cannot be computed', async () => {
    await db.query(
      `insert into staffetta.event (source, op, cols) values ('registry.person', 'U', '{1}'), ('registry.person', 'U', '{x}')`,
    );
    expect(await states()).toEqual(['1 ATTIVARE', 'x ATTIVARE']);
  });

  const deliveries = `
    insert into staffetta.delivery (target, entity, key, state, token, lease_until, attempts, error, due_at) values
    ('directory', 'person', '1', 'pending', null, null, 0, null, now() - interval '1 s'),
    ('directory', 'person', '2', 'pending', gen_random_uuid(), now() + interval '1 minute', 0, null, now()),
    ('directory', 'person', '3', 'pending', null, null, 2, 'server said 80', now() + interval '1 hour'),
    ('directory', 'person', '4', 'pending', null, null, 0, null, now() + interval '1 hour'),
    ('directory', 'person', '5', 'waiting', null, null, 0, null, now()),
    ('directory', 'person', '6', 'held', null, null, 0, 'too many', now()),
    ('directory', 'person', '7', 'parked', null, null, 1, 'sn is missing', now())`;

  test("has ESSE3's word for each state of a delivery", async () => {
    await db.query(deliveries);
    expect((await states()).sort()).toEqual([
      '1 ATTIVATA',
      '2 ESECUZIONE',
      '3 FAILURE',
      '4 SOSPESA',
      '5 SOSPESA',
      '6 SOSPESA',
      '7 ANNULLATA',
    ]);
  });

  test('says who waits for a target that cannot be reached', async () => {
    await db.query(deliveries);
    await db.query(`update staffetta.target set state = 'waiting', reason = 'it is down'`);
    expect((await states()).filter((line) => line.endsWith('ATTESA'))).toEqual([
      '1 ATTESA',
      '3 ATTESA',
      '4 ATTESA',
      '5 ATTESA',
    ]);
    const { rows } = await operator.query(`select note from staffetta.ldap_repl where key = '1'`);
    expect(rows).toEqual([{ note: 'the target is waiting: it is down' }]);
  });

  test('shows what was done in the last day, and whether a hook complained', async () => {
    await db.query(`
      insert into staffetta.journal (target, entity, key, operation, result, at, lag, message) values
      ('directory', 'person', '1', 'update', 'done', now(), '3 s', null),
      ('directory', 'person', '2', 'create', 'warned', now(), '3 s', 'no such column'),
      ('directory', 'person', '3', 'update', 'parked', now(), null, 'refused'),
      ('directory', 'person', '4', 'update', 'done', now() - interval '25 hours', null, null)`);
    expect(await states()).toEqual(['1 SUCCESS', '2 WARNING']);
    const { rows } = await operator.query(
      `select note, ended_at - captured_at as took from staffetta.ldap_repl order by key`,
    );
    expect(rows).toMatchObject([
      { note: 'update', took: { seconds: 3 } },
      { note: 'no such column', took: { seconds: 3 } },
    ]);
  });

  test('a replay by a merely enabled operator starts it again', async () => {
    await db.query(
      `insert into staffetta.delivery (target, entity, key, state, attempts, error) values ('directory', 'person', '42', 'parked', 1, 'sn is missing')`,
    );
    expect(await states()).toEqual(['42 ANNULLATA']);
    const { rows } = await operator.query(
      `select note from staffetta.replay('person', '42', reason => 'sn was added')`,
    );
    expect(rows).toEqual([{ note: 'queued: not on the target yet' }]);
    expect(await states()).toEqual(['42 ATTIVATA']);
    const [shown] = (await operator.query('select cause, actor, session_user::text as login from staffetta.ldap_repl'))
      .rows;
    expect(shown).toEqual({ cause: 'replay: sn was added', actor: shown.login, login: shown.login });
  });
});

test('ldap_norep shows who is captured, but not replicated', async () => {
  expect((await operator.query('select * from staffetta.ldap_norep')).rows).toEqual([
    {
      target: 'directory',
      entity: 'person',
      key: '44',
      note: 'in the view, but does not meet "only"',
      on_target: false,
    },
  ]);
});
