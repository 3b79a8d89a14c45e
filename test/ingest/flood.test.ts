import { describe, expect, test } from 'vitest';
import { Flood, restAfter } from '../../src/ingest/flood.ts';

const never = new AbortController().signal;

describe('how many write', () => {
  test('is counted over three seconds, longer than whoever ingests rests', () => {
    const flood = new Flood();
    flood.note(299, { at: 0 });
    expect(flood.isBusy(10)).toBe(false);
    flood.note(2_701, { at: 1_500 });
    expect([flood.isBusy(1_510), flood.isFlood(1_510)]).toEqual([true, true]);
    expect([flood.isBusy(3_000), flood.isFlood(3_000)]).toEqual([true, false]); // the first are forgotten
    expect(flood.isBusy(4_500)).toBe(false);
  });

  test('does not depend on how much one transaction changes', () => {
    const flood = new Flood();
    flood.note(1, { at: 0 });
    expect(flood.isBusy(1)).toBe(false);
  });

  test('is a flood from as many as an administrator says', () => {
    const flood = new Flood();
    flood.note(3_000, { at: 0, limit: 1_001 });
    expect(flood.isFlood(10)).toBe(false);
    flood.note(0, { at: 20, limit: 1_000 });
    expect(flood.isFlood(30)).toBe(true);
  });
});

test('who works for them leaves the processors to them most of the time, but not for ever', () => {
  expect([0, 100, 60_000].map((worked) => restAfter(worked, 'ingest'))).toEqual([5, 300, 1_000]);
  expect([0, 100, 60_000].map((worked) => restAfter(worked, 'deliver'))).toEqual([5, 300, 5_000]);
});

describe('a rest', () => {
  const flooded = () => {
    const flood = new Flood();
    flood.note(100_000);
    return flood;
  };

  test('is none where there is no flood', async () => {
    let over = false;
    void new Flood().rest(60_000, never).then(() => {
      over = true;
    });
    await Promise.resolve();
    expect(over).toBe(true);
  });

  test('ends when it was long enough', () => expect(flooded().rest(1, never)).resolves.toBeUndefined());

  test('ends when the flood does', async () => {
    const flood = flooded();
    const resting = flood.rest(60_000, never);
    flood.note(0, { limit: 1_000_000 });
    await resting;
  });

  test('ends when told to stop', () => expect(flooded().rest(60_000, AbortSignal.abort())).resolves.toBeUndefined());
});
