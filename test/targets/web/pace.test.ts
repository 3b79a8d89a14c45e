import { expect, test } from 'vitest';
import { Pace } from '../../../src/targets/web/pace.ts';

const never = new AbortController().signal;

test('spreads requests evenly over time, in the order of coming', async () => {
  const pace = new Pace({ count: 20, within: 1_000 });
  const order: number[] = [];
  const start = performance.now();
  await Promise.all([0, 1, 2, 3, 4].map(async (at) => ((await pace.turn(never)) ? order.push(at) : 0)));
  expect(order).toEqual([0, 1, 2, 3, 4]);
  expect(performance.now() - start).toBeGreaterThan(4 * 50 - 20);
});

test('lets everybody through at once where there is no rate', async () => {
  const pace = new Pace(undefined);
  expect(await Promise.all([pace.turn(never), pace.turn(never)])).toEqual([true, true]);
});

test('lets nobody through while it is held', async () => {
  const pace = new Pace(undefined);
  await pace.turn(never);
  const start = performance.now();
  pace.hold(100);
  pace.hold(10);
  expect(await Promise.all([pace.turn(never), pace.turn(never)])).toEqual([true, true]);
  expect(performance.now() - start).toBeGreaterThan(95);
});

test('keeps no turn for whoever has left', async () => {
  const pace = new Pace({ count: 10, within: 1_000 });
  await pace.turn(never);
  const start = performance.now();
  const leaving = new AbortController();
  const left = Array.from({ length: 20 }, () => pace.turn(leaving.signal));
  leaving.abort();
  expect(new Set(await Promise.all(left))).toEqual(new Set([false]));
  expect(await pace.turn(never)).toBe(true);
  expect(performance.now() - start).toBeLessThan(500);
  expect(await pace.turn(AbortSignal.abort())).toBe(false);
});
