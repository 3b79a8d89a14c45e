import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backOff } from '../../src/deliver/back-off.ts';

describe('the pause after a failure', () => {
  test('doubles with each failure up to the longest, and is spread over its upper half', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        fc.double({ min: 1, max: 3600, noNaN: true }),
        (failures, first, longest) => {
          const full = Math.min(first * 2 ** failures, longest);
          const pause = backOff(failures, first, longest);
          expect(pause).toBeGreaterThanOrEqual(full / 2);
          expect(pause).toBeLessThanOrEqual(full);
        },
      ),
    );
  });

  test('is not the same for all who failed together', () => {
    const pauses = Array.from({ length: 50 }, () => backOff(3, 2, 3600));
    expect(new Set(pauses).size).toBeGreaterThan(25);
  });

  test('stays finite however often something fails', () => {
    expect(backOff(1_000_000, 2, 3600)).toBeLessThanOrEqual(3600);
  });
});
