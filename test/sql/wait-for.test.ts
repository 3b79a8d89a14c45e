import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../setup/until.ts';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
let operator: pg.Client;
beforeAll(async () => {
  db = await createInstallation();
  operator = await db.connectAs('staffetta_operator');
  await db.query(`
    insert into staffetta.source (source, relation, columns, notify) values ('registry.person', 0, '{id}', true);
    create function staffetta.keys_person(cols text[]) returns setof text language sql as 'select cols[1]';
    insert into staffetta.feed values ('registry.person', 'person', 'staffetta.keys_person');`);
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.query('truncate staffetta.event, staffetta.delivery, staffetta.link');
  await db.query(
    `update staffetta.target set state = 'active', reason = null; update staffetta.source set error = null, error_at = null`,
  );
});

const owe = (key: string, more = '', values = '') =>
  db.query(`insert into staffetta.delivery (target, entity, key${more}) values ('directory', 'person', $1${values})`, [
    key,
  ]);
const paid = () => db.query('delete from staffetta.delivery');
const changed = (key: string) =>
  db.query(`insert into staffetta.event (source, op, cols) values ('registry.person', 'U', array[$1])`, [key]);
const wait = (target = 'directory', timeout = '20 s', key = '42') =>
  operator.query('select * from staffetta.wait_for($1, $2, $3, $4)', ['person', key, target, timeout]);
/** What a wait says in the end. */
const refusal = (waiting: Promise<unknown>) =>
  waiting.then(
    () => 'it has arrived',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

/** Begins to wait; resolves when the wait has looked and sleeps. */
async function begin(waiting: () => Promise<pg.QueryResult>) {
  const { rows } = await operator.query('select pg_backend_pid() as pid');
  const result = waiting();
  result.catch(() => {});
  const session = await until(
    () =>
      db.database.query<{ event: string | null; xid: string | null }>(
        'select wait_event as event, backend_xid::text as xid from pg_stat_activity where pid = $1',
        [rows[0]?.pid],
      ),
    ([seen]) => seen?.event === 'PgSleep',
    { what: 'that it waits' },
  );
  return { result, session: session[0] };
}

describe('wait_for', () => {
  test('does not wait for what is in doubt on a target that follows no longer', async () => {
    await db.query(`insert into staffetta.target (target, type, state) values ('former', 'ldap', 'retired')`);
    await db.query(
      `insert into staffetta.delivery (target, entity, key, state, unsure) values ('former', 'person', '42', 'parked', true)`,
    );
    const { rows } = await operator.query(`select target from staffetta.wait_for('person', '42')`);
    expect(rows.map(({ target }) => target)).not.toContain('former');
    await db.query(`delete from staffetta.target where target = 'former'`);
  });

  test('returns at once, with the place of the entry, when nothing is owed', async () => {
    await db.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '42', 'uid=ada', '{}')`,
    );
    await owe('43');
    const { rows } = await operator.query(`select * from staffetta.wait_for('person', ' 042')`);
    expect(rows).toEqual([
      { target: 'badge', entity: 'person', key: '42', remote_id: null },
      { target: 'directory', entity: 'person', key: '42', remote_id: 'uid=ada' },
    ]);
  });

  test('waits for a delivery, without a transaction id that would keep drainers awake', async () => {
    await owe('42');
    const { result, session } = await begin(() => wait());
    expect(session?.xid).toBeNull();
    await paid();
    expect((await result).rows).toHaveLength(1);
  });

  test('waits for a change from its capture on, while ingest moves it', async () => {
    await changed('42');
    const { result } = await begin(() => wait());
    const client = await db.pool.connect();
    await client.query('begin');
    await client.query('delete from staffetta.event');
    await client.query(`insert into staffetta.delivery (target, entity, key) values ('directory', 'person', '42')`);
    await client.query('commit');
    client.release();
    await paid();
    expect((await result).rows).toHaveLength(1);
  });

  test('does not wait for what was changed after it was called', async () => {
    await owe('42');
    const { result } = await begin(() => wait());
    await changed('42');
    await paid();
    expect((await result).rows).toHaveLength(1);
  });

  test('does not take for lost what a change that is not ingested yet may try again', async () => {
    await owe('42', ', state, error', `, 'parked', 'sn is missing'`);
    await changed('42');
    const { result } = await begin(() => wait());
    await paid();
    await db.query('delete from staffetta.event');
    expect((await result).rows).toHaveLength(1);
  });

  test.each([
    [
      'parked',
      ', state, error',
      `, 'parked', 'sn is missing'`,
      'person 42 does not arrive on directory: sn is missing',
    ],
    ['held', ', state', `, 'held'`, 'person 42 does not arrive on directory: '],
    ['waiting for a word', ', state, due_at', `, 'waiting', 'infinity'`, 'person 42 does not arrive on directory: '],
  ])('says so at once when the key is %s', async (_, columns, values, message) => {
    await owe('42', columns, values);
    expect(await refusal(wait())).toContain(message);
  });

  test('says so at once when the target is paused, or a source cannot be ingested', async () => {
    await owe('42');
    await db.query(`update staffetta.target set state = 'paused', reason = 'moving' where target = 'directory'`);
    expect(await refusal(wait())).toBe('person 42 does not arrive on directory: the target is paused: moving');
    await paid();
    await changed('7');
    await db.query(`update staffetta.source set error = 'no such column'`);
    expect(await refusal(wait())).toBe(
      'person 42 does not arrive: changes of registry.person cannot be ingested: no such column',
    );
  });

  test('says what it waited for when the time is over', async () => {
    await owe('42');
    expect(await refusal(wait('directory', '100 ms'))).toBe(
      'person 42 has not arrived on directory within 0.1 s: due; no daemon is running',
    );
  });

  test('refuses to wait for what its own transaction has not committed', async () => {
    const message = 'This transaction changed what is to be carried';
    const client = await db.pool.connect();
    for (const change of [
      `insert into staffetta.event (source, op, cols) values ('registry.person', 'U', '{7}')`,
      `select staffetta.replay('person', '42')`,
    ]) {
      await client.query('begin');
      await client.query(change);
      expect(await refusal(client.query(`select * from staffetta.wait_for('person', '42')`))).toContain(message);
      await client.query('rollback');
    }
    client.release();
  });

  test('refuses a transaction that would never see it', async () => {
    await operator.query('begin isolation level repeatable read');
    expect(await refusal(wait())).toContain('This transaction is REPEATABLE READ');
    await operator.query('rollback');
  });

  test('names what is not known', async () => {
    expect(await refusal(wait('directry'))).toContain('There is no target "directry"');
    expect(await refusal(wait('directory', '1 s', 'x'))).toContain('"x" is not a key of entity "person"');
  });
});
