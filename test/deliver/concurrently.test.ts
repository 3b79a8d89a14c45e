import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concurrently } from '../../src/deliver/concurrently.ts';

describe('working on items concurrently', () => {
  test('answers in the order of the items, never with more in flight than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 8 }), async (items, limit) => {
        let inFlight = 0;
        let most = 0;
        const results = await concurrently(items, limit, async (item) => {
          most = Math.max(most, ++inFlight);
          for (let turns = Math.abs(item) % 3; turns >= 0; turns -= 1) await setImmediate();
          inFlight -= 1;
          return item * 2;
        });
        expect(results).toEqual(items.map((item) => item * 2));
        expect(most).toBe(Math.min(limit, items.length));
      }),
      { numRuns: 30 },
    );
  });

  test('starts nothing more once one has thrown, and leaves nothing running behind the caller’s back', async () => {
    const slow = Promise.withResolvers<void>();
    const started: string[] = [];
    const finished: string[] = [];
    const work = concurrently(['breaks', 'slow', 'third', 'fourth'], 2, async (item) => {
      started.push(item);
      if (item === 'breaks') throw new Error('it broke');
      await slow.promise;
      finished.push(item);
    });
    let ended = false;
    const watched = work.catch(() => {}).then(() => (ended = true));
    await setImmediate();
    expect(ended).toBe(false);
    slow.resolve();
    await watched;
    await expect(work).rejects.toThrow('it broke');
    expect(started).toEqual(['breaks', 'slow']);
    expect(finished).toEqual(['slow']);
  });
});
