import { expect, test } from 'vitest';
import { stepsOf } from '../../src/config/steps.ts';

const day = 86_400_000;
const removeAfter = 10_000;

test('steps count in seconds from the first proof, the first of them not before removeAfter', () => {
  expect(
    stepsOf({
      removeAfter,
      deprovision: [
        { do: 'disable', after: 0 },
        { do: 'delete', after: 90 * day },
      ],
    }),
  ).toEqual([
    { do: 'disable', after: 10 },
    { do: 'delete', after: 7_776_000 },
  ]);
});

test('nothing happens from `keep` on', () => {
  expect(stepsOf({ removeAfter, deprovision: [{ do: 'keep', after: 0 }] })).toEqual([]);
  expect(
    stepsOf({
      removeAfter,
      deprovision: [
        { do: 'disable', after: 0 },
        { do: 'keep', after: day },
      ],
    }),
  ).toEqual([{ do: 'disable', after: 10 }]);
});
