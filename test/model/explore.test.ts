import { describe, expect, test } from 'vitest';
import { explore, type Model } from './explore.ts';

/** Counts by one or two up to a goal; `trap`: from there nothing leads on. */
const counter = ({ goal, bad, trap }: { goal: number; bad?: number; trap?: number }): Model<number> => ({
  initial: [0],
  steps: (at) =>
    at === trap
      ? [{ what: 'stays', next: at }]
      : [1, 2].filter((by) => at + by <= goal).map((by) => ({ what: `adds ${by}`, next: at + by })),
  key: String,
  wrong: (at) => (at === bad ? 'it is bad' : undefined),
  atRest: (at) => at === goal,
  show: (at) => `at ${at}`,
});

describe('the explorer', () => {
  test('visits every state once', () => {
    expect(explore(counter({ goal: 10 }))).toEqual({ states: 11, counterexample: undefined });
  });

  test('shows a shortest way to what is wrong', () => {
    expect(explore(counter({ goal: 10, bad: 4 })).counterexample).toEqual([
      'at first: at 0',
      '1. adds 2',
      '2. adds 2',
      'wrong: it is bad: at 4',
    ]);
  });

  test('finds a state from which nothing comes to rest', () => {
    expect(explore(counter({ goal: 10, trap: 7 })).counterexample?.at(-1)).toBe(
      'wrong: from here nothing ever comes to rest: at 7',
    );
  });

  test('proves nothing of a model that is too large', () => {
    expect(() => explore(counter({ goal: 10 }), 5)).toThrow('more than 5 states');
  });
});
