import { describe, expect, test } from 'vitest';
import { type BellOmissions, bell } from './bell.ts';
import { explore } from './explore.ts';

const lost = 'an event waits, the drainer is parked, nothing rings';

describe('the bell', () => {
  // 31,562 states
  test('is never lost on three writers with two statements each', () => {
    const { states, counterexample } = explore(bell(3, 2));
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(30_000);
  });

  test('is never lost where older transactions are looked for after the drain, which is why it drains once more', () => {
    expect(explore(bell(3, 2, { looksAfterwards: true })).counterexample).toBeUndefined();
  });

  test.each<[string, BellOmissions]>([
    ['tests the lock before the events are in (A1)', { testsFirst: true }],
    ['takes xmax for X (A2)', { xmaxAsMark: true }],
    ['takes P only when it has waited (A2)', { locksLast: true }],
    ['does not wait for older transactions (A2)', { doesNotWait: true }],
    ['lets go of P and stays parked', { letsGo: true }],
    ['looks for them after the drain and does not drain once more (A2)', { looksAfterwards: true, notOnceMore: true }],
  ])('is lost where one %s', (_, omit) => {
    const { counterexample } = explore(bell(2, 1, omit));
    expect(counterexample?.at(-1)).toContain(lost);
  });

  // The ingest statement answers with events and xmin of one snapshot, so that draining once more is a second belt there.
  test('is not lost without draining once more where events and xmin are of one snapshot', () => {
    expect(explore(bell(3, 2, { notOnceMore: true })).counterexample).toBeUndefined();
  });

  test('is shown to be lost step by step', () => {
    expect(explore(bell(1, 1, { doesNotWait: true })).counterexample).toEqual([
      'at first: the drainer clears; no event waits; 0 transactions open',
      '1. writer 1 begins',
      '2. writer 1 inserts events as transaction 2',
      '3. writer 1 tests the lock, which is free',
      '4. the drainer forgets the bell',
      '5. the drainer drains, and finds nothing',
      '6. the drainer takes P',
      '7. the drainer notes X = its own id 3',
      '8. the drainer commits',
      '9. the drainer forgets the bell',
      '10. the drainer drains, and finds nothing, does not look for older transactions',
      '11. the drainer forgets the bell',
      '12. the drainer drains, and finds nothing once more',
      '13. writer 1 commits',
      `wrong: ${lost}: the drainer parked, holding P; events wait; 0 transactions open`,
    ]);
  });
});
