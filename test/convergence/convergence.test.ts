import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeHistory, history } from './history.ts';
import { tryHistory } from './trial.ts';

/** A daemon killed, one frozen past its lease, sessions ended, a directory that dies or answers late. `run.ts` plays any other. */
const seeds = [12, 39];

describe('whatever is changed, and whatever goes wrong meanwhile', () => {
  test.each(seeds)(
    'in history %i, the directory is in the end as the tables say',
    { timeout: 90_000 },
    async (seed) => {
      const [planned] = fc.sample(history, { seed, numRuns: 1 });
      expect.assert(planned !== undefined);
      const { findings, traces } = await tryHistory(planned);
      expect(findings, [...describeHistory(planned), ...traces].join('\n')).toEqual([]);
    },
  );
});
