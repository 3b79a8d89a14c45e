import { describe, expect, test } from 'vitest';
import { drawHistory, type History, parseHistory } from './history.ts';
import { shrink, smaller } from './smaller.ts';

const seeds = [1, 2, 3];
const size = ({ applications, mishaps, acts, conduct, ...rest }: History) =>
  JSON.stringify([applications, mishaps, acts, Object.values(conduct).filter((part) => part && part !== 'ldap')])
    .length +
  rest.daemons +
  rest.slots +
  rest.targets +
  rest.latency;

describe('a history', () => {
  test.each(seeds)('has only histories that are smaller among its smaller ones: %i', (seed) => {
    const history = drawHistory(seed);
    const all = [...smaller(history)];
    for (const less of all) expect(size(less)).toBeLessThan(size(history));
    for (const less of all.slice(0, 10)) expect(parseHistory(JSON.stringify(less))).toEqual(less);
  });

  test('shrinks to what makes it fail', async () => {
    const fails = async ({ applications, daemons }: History) =>
      daemons > 0 && applications.some((transactions) => transactions.some(({ end }) => end === 'rollback'));
    for (const seed of seeds) {
      const history = drawHistory(seed);
      if (!(await fails(history))) continue;
      const { applications, ...smallest } = await shrink(history, fails, () => true);
      expect(smallest).toMatchObject({ daemons: 1, slots: 1, latency: 0, mishaps: [], acts: [], targets: 2 });
      expect(applications).toEqual([[expect.objectContaining({ end: 'rollback', changes: [expect.anything()] })]]);
    }
  });

  test('is left as it is when no try is left', async () => {
    const history = drawHistory(1);
    expect(
      await shrink(
        history,
        async () => true,
        () => false,
      ),
    ).toBe(history);
  });

  test('that is none is refused', () => {
    expect(() => parseHistory('{"daemons": 1}')).toThrow('expected a history');
  });
});
