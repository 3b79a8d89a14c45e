import { describe, expect, test } from 'vitest';
import { Flood, restAfter } from '../../src/ingest/flood.ts';

describe('how many write', () => {
  test('is counted over a second', () => {
    const flood = new Flood();
    flood.note(99, 0);
    expect(flood.isBusy(10)).toBe(false);
    flood.note(901, 500);
    expect([flood.isBusy(510), flood.isFlood(510)]).toEqual([true, true]);
    expect([flood.isBusy(1_000), flood.isFlood(1_000)]).toEqual([true, false]); // the first are forgotten
    expect(flood.isBusy(1_500)).toBe(false);
  });

  test('does not depend on how much one transaction changes', () => {
    const flood = new Flood();
    flood.note(1, 0);
    expect(flood.isBusy(1)).toBe(false);
  });
});

test('who works for them leaves the processors to them most of the time, but not for longer than a second', () => {
  expect([0, 100, 60_000].map(restAfter)).toEqual([5, 300, 1_000]);
});
