import { describe, expect, test } from 'vitest';
import { createDatabase } from '../setup/database.ts';
import { describeHistory, drawHistory } from './history.ts';
import { tryHistory } from './trial.ts';

/**
 * Daemons reloaded and killed, other mappings applied, a directory frozen; all daemons killed while a change is under way,
 * and again, answers delayed. `run.ts` plays any other.
 */
const seeds = [53, 65];

describe('whatever is changed, and whatever goes wrong meanwhile', () => {
  test.each(seeds)(
    'in history %i, every directory is in the end as the tables say',
    { timeout: 90_000 },
    async (seed) => {
      const history = drawHistory(seed);
      const { findings, traces } = await tryHistory(history, await createDatabase());
      expect(findings, [...describeHistory(history), ...traces].join('\n')).toEqual([]);
    },
  );
});
