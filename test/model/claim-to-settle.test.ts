import { describe, expect, test } from 'vitest';
import { claimToSettle } from './claim-to-settle.ts';
import { explore } from './explore.ts';
import type { Omissions } from './omissions.ts';

const bounds = { changes: 3, kills: 1, stops: 1 };
const differs = 'everything is quiet, and the target is not what the source says';

describe('claim to settle', () => {
  // 503,923 states
  test('converges in every history of four changes, two workers, a kill and a stop past the lease', () => {
    const { states, counterexample } = explore(claimToSettle({ changes: 4, kills: 1, stops: 1 }));
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(500_000);
  }, 120_000);

  test('converges in every history of two changes, two kills and two stops', () => {
    expect(explore(claimToSettle({ changes: 2, kills: 2, stops: 2 })).counterexample).toBeUndefined();
  });

  test.each<[string, Omissions, string]>([
    ['claim and load are one statement (B1)', { oneStatement: true }, differs],
    ['is sent after the lease (B4)', { ignoresLease: true }, differs],
    ['a claim that was not settled leaves the link trusted (B5)', { trustsLink: true }, differs],
    ['no remote id is reserved (B6)', { reservesNothing: true }, differs],
    ['a settle that comes too late says nothing (B7)', { forgetsLate: true }, differs],
    ['a settle that frees the delivery clears its doubt (B7)', { clearsUnsure: true }, differs],
    ['a settle records without its token (B7)', { ignoresToken: true }, differs],
    ['settle locks nothing before it decides (B8)', { locksNothing: true }, differs],
    [
      'settle decides on the values of the table (B8)',
      { decidesOnTable: true },
      'the delivery is left claimed by a worker that has settled it',
    ],
  ])('goes wrong where %s', (_, omit, wrong) => {
    const { counterexample } = explore(claimToSettle(bounds, omit));
    expect(counterexample?.at(-1)).toContain(wrong);
  });

  // B4 looks at the clock before an operation and cannot call it back. Only a comparison with the live target would find it.
  test('does not promise to notice an operation that outlived its lease and whose worker was then killed', () => {
    const { counterexample } = explore(claimToSettle({ ...bounds, killsOvertaken: true }));
    expect(counterexample?.at(-1)).toContain(differs);
  });

  test('is shown to go wrong step by step', () => {
    const { counterexample } = explore(claimToSettle({ changes: 2, kills: 1, stops: 0 }, { reservesNothing: true }));
    expect(counterexample).toEqual([
      'at first: source none, target none, link none, reserved none, no delivery',
      '1. the source inserts the row as a',
      '2. ingest: a delivery',
      '3. A claims the delivery',
      '4. A loads: a, link none',
      '5. the source deletes the row',
      '6. ingest: rev + 1',
      '7. A trusts its link; plans: create a',
      '8. A may send',
      '9. A sends: create a',
      '10. A has its operation take effect: done',
      '11. A is killed',
      '12. the lease of the dead worker ends',
      '13. A claims the delivery, unsure',
      '14. A loads: none, link none',
      '15. A has nowhere to look; plans nothing to send',
      '16. A settles: done',
      `wrong: ${differs}: source none, target a, link none, reserved none, no delivery`,
    ]);
  });
});
