import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { handOver } from '../../src/deliver/hand-over.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await createStage();
});
/** 42 has an entry and is claimed; 43 waits for its remote id. */
beforeEach(async () => {
  await stage.clear();
  await stage.owe('person', 42);
  ({ token } = await stage.claim());
  await stage.owe('person', 43);
  await stage.query(
    `update staffetta.delivery set state = 'waiting', attempts = 2, due_at = clock_timestamp() + interval '5 seconds',
       wait_entity = 'person', wait_key = '42', wait_id = 'uid=ada' where key = '43'`,
  );
  await stage.query(
    `insert into staffetta.link (target, entity, key, remote_id, stable_id, attributes, fingerprint) values ('directory', 'person', '42', 'uid=ada', 's1', '{}', 'f')`,
  );
  await stage.query(`insert into staffetta.remote_id values ('directory', 'uid=ada', 'person', '42')`);
  await stage.query(
    `insert into staffetta.reference values ('directory', 'person', '42', 'manager', 'person', '7', 'uid=boss')`,
  );
});
afterAll(() => stage.close());

const person = (key: number) => ({ entity: 'person', key: `${key}` });
const hand = (by = token) => handOver(stage.pool, 'directory', by, person(42), person(43));
const references = () => stage.query('select key, ref_key, applied from staffetta.reference order by key, ref_key');

describe('handing an entry over to another key (PROTOCOL C4)', () => {
  test('moves link, remote ids and memberships; the new key is not sure, and due', async () => {
    expect(await hand()).toBe(true);
    expect(await stage.link(42)).toBeUndefined();
    expect(await stage.link(43)).toMatchObject({ remote_id: 'uid=ada', stable_id: 's1', fingerprint: null });
    expect(await stage.reserved()).toEqual({ 'uid=ada': '43' });
    expect(await references()).toEqual([{ key: '43', ref_key: '7', applied: 'uid=boss' }]);
    expect(await stage.delivery(42)).toBeUndefined();
    expect(await stage.delivery(43)).toMatchObject({
      state: 'pending',
      unsure: true,
      due: true,
      attempts: 0,
      rev: '2',
      wait_key: null,
      wait_id: null,
    });
    expect(await stage.journal()).toEqual(['42 hand over done']);
  });

  test('has the entry disabled as the new key means it, though its row may be gone by then', async () => {
    const meant = { remote_id: 'uid=43,ou=former', attributes: {} };
    await stage.query(`update staffetta.delivery set wait_disable = $1 where key = '43'`, [meant]);
    expect(await hand()).toBe(true);
    expect(await stage.query('select key, disable from staffetta.link')).toEqual([{ key: '43', disable: meant }]);
  });

  test('tells those who refer to either key', async () => {
    await hand();
    expect(await stage.query('select cols[3] as key from staffetta.event order by 1')).toEqual([
      { key: '42' },
      { key: '43' },
    ]);
  });

  test('joins the memberships that both keys have', async () => {
    await stage.query(
      `insert into staffetta.reference values ('directory', 'person', '43', 'manager', 'person', '7', null), ('directory', 'person', '43', 'manager', 'person', '8', null)`,
    );
    expect(await hand()).toBe(true);
    expect(await references()).toEqual([
      { key: '43', ref_key: '7', applied: 'uid=boss' },
      { key: '43', ref_key: '8', applied: null },
    ]);
  });

  test.each([
    ['our claim is gone', `update staffetta.delivery set token = gen_random_uuid() where key = '42'`],
    ['a newer event touched the old key', `update staffetta.delivery set rev = rev + 1 where key = '42'`],
    ['the new key waits no more', `update staffetta.delivery set wait_key = null where key = '43'`],
    ['the new key waits for another', `update staffetta.delivery set wait_key = '44' where key = '43'`],
    ['the new key is being worked on', `update staffetta.delivery set token = gen_random_uuid() where key = '43'`],
    [
      'the new key has an entry of its own',
      `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '43', 'uid=b', '{}')`,
    ],
    ['the new key is owed nothing', `delete from staffetta.delivery where key = '43'`],
  ])('changes nothing where %s', async (_, statement) => {
    await stage.query(statement);
    const before = await stage.deliveries();
    expect(await hand()).toBe(false);
    expect(await stage.deliveries()).toEqual(before);
    expect(await stage.link(42)).toBeDefined();
    expect(await stage.reserved()).toEqual({ 'uid=ada': '42' });
    expect(await references()).toHaveLength(1);
    expect(await stage.journal()).toEqual([]);
  });
});
