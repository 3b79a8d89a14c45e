import { describe, expect, test } from 'vitest';
import { Crowd } from '../../src/ingest/crowd.ts';

describe('a crowd that is delivered in bulk', () => {
  test('is counted again after a tenth of the time that it takes', () => {
    let now = 0;
    const crowd = new Crowd(() => now);
    expect(crowd.known).toEqual({});
    crowd.learn({ 'directory person': 50_000, 'archive person': 5_000 });
    now = 900;
    expect(crowd.known).toEqual({ 'directory person': 50_000, 'archive person': 5_000 });
    now = 5_000;
    expect(crowd.known).toEqual({ 'directory person': 50_000 });
    now = 10_000;
    expect(crowd.known).toEqual({});
  });

  test('is not taken for counted anew because its count was used', () => {
    let now = 0;
    const crowd = new Crowd(() => now);
    crowd.learn({ 'directory person': 50_000 });
    now = 9_000;
    crowd.learn(crowd.known);
    now = 10_000;
    expect(crowd.known).toEqual({});
  });

  test('that is no crowd is counted each time', () => {
    const crowd = new Crowd(() => 0);
    crowd.learn({ 'directory person': 0 });
    expect(crowd.known).toEqual({});
  });
});
