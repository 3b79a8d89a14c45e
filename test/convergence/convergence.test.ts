import { describe, expect, test } from 'vitest';
import { createDatabase } from '../setup/database.ts';
import { means } from './conduct.ts';
import { describeHistory, drawHistory, withLists } from './history.ts';
import { tryHistory } from './trial.ts';

/**
 * Entries are adopted, and what a guard holds is discarded and approved, while a daemon is killed; a target in steps and in
 * order is observed, an entry changed by hand, sessions ended and a view dropped. `run.ts` plays any other.
 */
const seeds = [7779, 9771];

/** The same, with a target that is written otherwise than over LDAP. */
const played = 7779;

describe('whatever is changed, and whatever goes wrong meanwhile', () => {
  test.each([
    ...seeds.map((seed) => ({ seed, name: `history ${seed}`, nature: {} })),
    ...means
      .filter((one) => one !== 'ldap')
      .map((lists) => ({ seed: played, name: `history ${played} with lists by ${lists}`, nature: withLists(lists) })),
  ])('in $name, every directory is in the end as the tables say', { timeout: 90_000 }, async ({ seed, nature }) => {
    const history = drawHistory(seed, nature);
    const { findings, traces } = await tryHistory(history, await createDatabase());
    expect(findings, [...describeHistory(history), ...traces].join('\n')).toEqual([]);
  });
});
