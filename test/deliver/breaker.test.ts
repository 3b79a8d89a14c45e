import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readParameters } from '../../src/database/parameters.ts';
import { markReached, markUnreachable, quarantine, takeProbe } from '../../src/deliver/breaker.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const target = async () => {
  const [row] = await stage.query<{ state: string; reason: string | null; failures: number; pause: number | null }>(
    'select state, reason, failures, extract(epoch from retry_at - clock_timestamp())::float8 as pause from staffetta.target',
  );
  if (!row) throw new Error('the target is gone');
  return row;
};
const unreachable = async () =>
  markUnreachable(stage.pool, 'directory', 'connection refused', await readParameters(stage.pool));

describe('the breaker of a target', () => {
  test('makes a target that cannot be reached wait, with pauses that grow with each failure', async () => {
    await stage.set('WAIT_SECONDS', 8);
    await stage.set('WAIT_MAX_SECONDS', 20);
    const pauses: number[] = [];
    for (let failures = 1; failures <= 4; failures += 1) {
      await unreachable();
      const { pause, ...rest } = await target();
      expect(rest).toEqual({ state: 'waiting', reason: 'connection refused', failures });
      pauses.push(pause ?? 0);
    }
    // Each is spread over the upper half of 8, 16, 20, 20.
    const [first = 0, second = 0, third = 0, fourth = 0] = pauses;
    expect(first).toBeGreaterThan(3.5);
    expect(first).toBeLessThanOrEqual(8);
    expect(second).toBeGreaterThan(7.5);
    for (const pause of [third, fourth]) {
      expect(pause).toBeGreaterThan(9.5);
      expect(pause).toBeLessThanOrEqual(20);
    }
  });

  test('counts the failures of all pumps, and remembers since when it cannot be reached', async () => {
    const since = async () => (await stage.query('select since from staffetta.target'))[0]?.since;
    await unreachable();
    const first = await since();
    await Promise.all([unreachable(), unreachable()]);
    expect(await target()).toMatchObject({ state: 'waiting', failures: 3 });
    expect(await since()).toEqual(first);
  });

  test('says nothing of a target that was forgotten meanwhile', async () => {
    const parameters = await readParameters(stage.pool);
    await markUnreachable(stage.pool, 'forgotten', 'connection refused', parameters);
    await quarantine(stage.pool, 'forgotten', 'wrong password');
    expect(await stage.query('select target, state from staffetta.target')).toEqual([
      { target: 'directory', state: 'active' },
    ]);
  });

  test('forgets the failures once it answers', async () => {
    await unreachable();
    await markReached(stage.pool, 'directory');
    expect(await target()).toEqual({ state: 'active', reason: null, failures: 0, pause: null });
  });

  test('lets one pump probe, once the pause is over', async () => {
    await stage.set('WAIT_SECONDS', 60);
    await unreachable();
    expect(await takeProbe(stage.pool, 'directory', 30, false)).toBe(false);
    await stage.forward();
    const probes = await Promise.all(Array.from({ length: 6 }, () => takeProbe(stage.pool, 'directory', 30, false)));
    expect(probes.filter(Boolean)).toHaveLength(1);
  });

  test('lets a pump probe at once where that was asked for', async () => {
    await stage.set('WAIT_SECONDS', 60);
    await unreachable();
    expect(await takeProbe(stage.pool, 'directory', 30, true)).toBe(true);
  });

  test('is not probed unless it waits', async () => {
    expect(await takeProbe(stage.pool, 'directory', 30, true)).toBe(false);
  });

  test('quarantines a target that is misconfigured, and only a person ends that', async () => {
    await unreachable();
    await quarantine(stage.pool, 'directory', 'wrong password');
    await markReached(stage.pool, 'directory');
    await unreachable();
    expect(await target()).toMatchObject({ state: 'quarantined', reason: 'wrong password', pause: null });
    expect(await takeProbe(stage.pool, 'directory', 30, true)).toBe(false);
  });

  test.each(['paused', 'retired'])('never overrules an administrator: %s stays', async (state) => {
    await stage.query('update staffetta.target set state = $1', [state]);
    await unreachable();
    await quarantine(stage.pool, 'directory', 'wrong password');
    await markReached(stage.pool, 'directory');
    expect((await target()).state).toBe(state);
  });
});
