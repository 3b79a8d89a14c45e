import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isMoving, wake, wantedInCircle } from '../../src/deliver/wait.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const person = (key: number) => ({ entity: 'person', key: `${key}` });
/** Keys that hold `uid=<key>`, and wait in a minute's time for what another holds. */
async function waiting(waits: Readonly<Record<number, number>>): Promise<void> {
  for (const [key, holder] of Object.entries(waits)) {
    await stage.query(`insert into staffetta.remote_id values ('directory', $1, 'person', $2) on conflict do nothing`, [
      `uid=${key}`,
      key,
    ]);
    await stage.query(`insert into staffetta.remote_id values ('directory', $1, 'person', $2) on conflict do nothing`, [
      `uid=${holder}`,
      `${holder}`,
    ]);
    await stage.owe('person', key);
    await stage.query(
      `update staffetta.delivery set state = 'waiting', due_at = clock_timestamp() + interval '1 minute', wait_entity = 'person', wait_key = $2, wait_id = $3 where key = $1`,
      [key, `${holder}`, `uid=${holder}`],
    );
  }
}
const wanted = (key: number, holder: number) => wantedInCircle(stage.pool, 'directory', person(key), person(holder));
const breaks = async (key: number, holder: number) => (await wanted(key, holder)) !== undefined;
/** What a key waits for is a value of its holder's mail instead. */
const forMail = async (key: number, holder: number) => {
  await stage.query(`insert into staffetta.remote_value values ('directory', 'mail', $1, 'person', $2)`, [
    `${holder}@x`,
    `${holder}`,
  ]);
  await stage.query(`update staffetta.delivery set wait_attribute = 'mail', wait_id = $2 where key = $1`, [
    `${key}`,
    `${holder}@x`,
  ]);
};
const woken = async (...keys: readonly number[]) => {
  await wake(stage.pool, 'directory', keys.map(person));
  return (await stage.deliveries()).filter(({ due }) => due).map(({ key }) => key);
};

describe('a circle of waits (PROTOCOL C4)', () => {
  test('of two is broken by the smaller key only', async () => {
    await waiting({ 1: 2, 2: 1 });
    expect(await breaks(1, 2)).toBe(true);
    expect(await breaks(2, 1)).toBe(false);
  });

  test('of three is broken by the smallest key only', async () => {
    await waiting({ 1: 3, 3: 2, 2: 1 });
    expect(await Promise.all([breaks(1, 3), breaks(2, 1), breaks(3, 2)])).toEqual([true, false, false]);
  });

  test('is none while the last wait of it is not recorded', async () => {
    await waiting({ 2: 1 });
    expect(await breaks(2, 1)).toBe(false);
    expect(await breaks(1, 2)).toBe(true);
  });

  test('is no chain that ends', async () => {
    await waiting({ 1: 2, 2: 3, 3: 4 });
    expect(await Promise.all([breaks(1, 2), breaks(2, 3), breaks(3, 4)])).toEqual([false, false, false]);
  });

  test('is no chain that leads into one, which others break', async () => {
    await waiting({ 1: 2, 2: 3, 3: 2 });
    expect(await breaks(1, 2)).toBe(false);
    expect(await breaks(2, 3)).toBe(true);
  });

  test('is open again once a remote id in it is held no more', async () => {
    await waiting({ 1: 2, 2: 1 });
    await stage.query(`delete from staffetta.remote_id where normalised = 'uid=1'`);
    expect(await breaks(1, 2)).toBe(false);
  });

  test('says what of the key that breaks it is waited for: a remote id, or a value', async () => {
    await waiting({ 1: 2, 2: 3, 3: 1 });
    expect(await wanted(1, 2)).toEqual({ attribute: '', id: 'uid=1' });
    await forMail(3, 1);
    expect(await wanted(1, 2)).toEqual({ attribute: 'mail', id: '1@x' });
    await stage.query(`delete from staffetta.remote_value`);
    expect(await wanted(1, 2)).toBeUndefined();
  });

  test('does not go through who keeps what is waited for', async () => {
    await waiting({ 1: 2, 2: 1 });
    await stage.query(`update staffetta.delivery set wait_keeps = true where key = '2'`);
    expect(await breaks(1, 2)).toBe(false);
  });

  test('compares keys byte by byte', async () => {
    await waiting({ 9: 10, 10: 9 });
    expect(await breaks(10, 9)).toBe(true);
    expect(await breaks(9, 10)).toBe(false);
  });
});

describe('whoever can move is woken', () => {
  test('the smallest key of a circle', async () => {
    await waiting({ 1: 2, 2: 3, 3: 1 });
    expect(await woken(3)).toEqual(['1']);
  });

  test('even where it was parked meanwhile', async () => {
    await waiting({ 1: 2, 2: 1 });
    await stage.query(`update staffetta.delivery set state = 'parked' where key = '1'`);
    expect(await woken(2)).toEqual(['1']);
    expect((await stage.delivery(1))?.state).toBe('pending');
  });

  test('nobody in a chain whose end may still move', async () => {
    await waiting({ 1: 2, 2: 3 });
    expect(await woken(1, 2)).toEqual([]);
  });

  test('who waits for an id that nobody holds any more', async () => {
    await waiting({ 1: 2 });
    await stage.query(`delete from staffetta.remote_id where normalised = 'uid=2'`);
    expect(await woken(1)).toEqual(['1']);
  });

  test('who waits for an id that somebody else holds now', async () => {
    await waiting({ 1: 2 });
    await stage.query(`update staffetta.remote_id set key = '9' where normalised = 'uid=2'`);
    expect(await woken(1)).toEqual(['1']);
  });

  test('a holder that only waits out its removal', async () => {
    await waiting({ 1: 2 });
    await stage.owe('person', 2);
    await stage.query(
      `update staffetta.delivery set absent_since = clock_timestamp(), due_at = clock_timestamp() + interval '10 seconds' where key = '2'`,
    );
    expect(await woken(1)).toEqual(['2']);
  });

  test('but not one that only a value is wanted of: its entry is nobody else’s', async () => {
    await waiting({ 1: 2 });
    await forMail(1, 2);
    await stage.owe('person', 2);
    await stage.query(
      `update staffetta.delivery set absent_since = clock_timestamp(), due_at = clock_timestamp() + interval '10 seconds' where key = '2'`,
    );
    expect(await woken(1)).toEqual([]);
  });

  test('who keeps what others wait for, once what it waits for is free, and not before', async () => {
    await waiting({ 1: 2, 2: 1 });
    await forMail(1, 2);
    await stage.query(`update staffetta.delivery set wait_keeps = true, state = 'parked' where key = '1'`);
    expect(await woken(1, 2)).toEqual([]);
    await stage.query(`delete from staffetta.remote_value`);
    expect(await woken(1)).toEqual(['1']);
  });

  test('nobody where nobody waits', async () => {
    await waiting({ 1: 2 });
    expect(await woken()).toEqual([]);
  });
});

describe('the holder of a remote id', () => {
  test('may still let go of it while it has a delivery of its own that is not parked', async () => {
    expect(await isMoving(stage.pool, 'directory', person(1))).toBe(false);
    await stage.owe('person', 1);
    expect(await isMoving(stage.pool, 'directory', person(1))).toBe(true);
    await stage.query(`update staffetta.delivery set state = 'parked'`);
    expect(await isMoving(stage.pool, 'directory', person(1))).toBe(false);
  });
});
