import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaults } from '../../src/database/parameters.ts';
import { flushAll } from '../../src/deliver/flush.ts';
import { refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
/** What stood in the target each time when it was to publish. */
let published: string[][];
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  published = [];
  stage.target.flush = async () => void published.push(stage.target.ids);
});
afterAll(() => stage.close());

const state = async () => (await stage.query('select state, reason from staffetta.target'))[0];
const become = (target: string) => stage.query(`update staffetta.target set ${target}`);
const sweep = async () => {
  const failed: string[] = [];
  const count = await flushAll(stage.pool, [stage.destination()], defaults, (target, reason) =>
    failed.push(`${target}: ${reason}`),
  );
  expect(count).toBe(failed.length);
  return failed;
};
const deliver = async () => {
  await stage.addPerson(1, 'ada');
  await stage.owe('person', 1);
  await stage.pump().run();
};

describe('a target that hands on later what it took', () => {
  test('publishes when a pump has nothing more to do, and not where it had nothing', async () => {
    await deliver();
    expect(published).toEqual([['uid=ada,ou=people']]);
    await stage.pump().run();
    expect(published).toHaveLength(1);
  });

  test('waits where that fails; what it took is paid for all the same', async () => {
    stage.target.flush = async () => {
      throw refusal('unavailable', 'the disk is full');
    };
    const stopped: string[] = [];
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.pump(stage.destination(), { stopped: (target, reason) => stopped.push(`${target}: ${reason}`) }).run();
    expect(await state()).toEqual({ state: 'waiting', reason: 'the disk is full' });
    expect(stopped).toEqual(['directory: the disk is full']);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('is quarantined where it says that it is configured wrongly', async () => {
    stage.target.flush = async () => {
      throw refusal('misconfigured', 'there is no folder');
    };
    await deliver();
    expect(await state()).toEqual({ state: 'quarantined', reason: 'there is no folder' });
  });

  test('publishes in a sweep, which ends its waiting', async () => {
    await become(`state = 'waiting', reason = 'the disk is full'`);
    expect(await sweep()).toEqual([]);
    expect(published).toHaveLength(1);
    expect(await state()).toEqual({ state: 'active', reason: null });
  });

  test('goes on waiting where a sweep finds it as it was', async () => {
    stage.target.flush = async () => {
      throw refusal('unavailable', 'still full');
    };
    expect(await sweep()).toEqual(['directory: still full']);
    expect(await state()).toEqual({ state: 'waiting', reason: 'still full' });
  });

  test.each(["state = 'paused'", "state = 'quarantined'", "mode = 'observe'"])(
    'publishes nothing with %s',
    async (how) => {
      await become(how);
      expect(await sweep()).toEqual([]);
      expect(published).toEqual([]);
    },
  );
});
