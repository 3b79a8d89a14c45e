import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findDue } from '../../src/deliver/due.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const due = async () => (await findDue(stage.pool))[0];

describe('what is due', () => {
  test('is nothing where nothing is owed', async () => {
    expect(await due()).toEqual({ target: 'directory', due: 0, next: null, soon: null });
  });

  test('counts what is due of both priorities, and not what is claimed, parked or to come', async () => {
    await stage.owe('person', 1, 2, 3, 4, 5);
    await stage.query(`update staffetta.delivery set priority = 1 where key = '2'`);
    await stage.query(`update staffetta.delivery set state = 'parked' where key = '3'`);
    await stage.query(
      `update staffetta.delivery set token = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 minute' where key = '4'`,
    );
    await stage.query(`update staffetta.delivery set due_at = clock_timestamp() + interval '1 minute' where key = '5'`);
    expect((await due())?.due).toBe(2);
    await stage.expire();
    expect((await due())?.due).toBe(3);
  });

  test('is not counted of targets that are busy with it; when the next is due is said of them, too', async () => {
    await stage.owe('person', 1, 2);
    await stage.query(`update staffetta.delivery set due_at = clock_timestamp() + interval '1 minute' where key = '2'`);
    expect(await findDue(stage.pool, ['directory'])).toMatchObject([{ due: 0, next: expect.closeTo(60, -1) }]);
    expect(await findDue(stage.pool, ['another'])).toMatchObject([{ due: 1 }]);
    await stage.query(
      `update staffetta.target set state = 'waiting', retry_at = clock_timestamp() + interval '10 seconds'`,
    );
    expect(await findDue(stage.pool, ['directory'])).toMatchObject([{ due: 0, next: expect.closeTo(10, 0) }]);
  });

  test('says when the next is due, and the next that no failure put off', async () => {
    await stage.owe('person', 1, 2, 3);
    await stage.query(
      `update staffetta.delivery set due_at = clock_timestamp() + key::int * interval '100 seconds', priority = (key::int) % 2`,
    );
    await stage.query(`update staffetta.delivery set error = 'failed' where key = '1'`);
    const { next, soon } = (await due()) ?? {};
    expect(next).toBeGreaterThan(90);
    expect(next).toBeLessThanOrEqual(100);
    expect(soon).toBeGreaterThan(190);
    expect(soon).toBeLessThanOrEqual(200);
  });

  test('leaves out targets that are not to be sent anything', async () => {
    await stage.owe('person', 1);
    await stage.query(`update staffetta.target set state = 'paused'`);
    expect(await findDue(stage.pool)).toEqual([]);
    await stage.query(`update staffetta.target set state = 'waiting'`);
    expect((await due())?.due).toBe(1);
  });
});
