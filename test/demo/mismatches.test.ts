import { expect, test } from 'vitest';
import { mismatchesOf } from '../../src/demo/mismatches.ts';

test('what lacks, differs or is too much is named, and what is right is not', () => {
  const expected = new Map([
    ['card 1', { name: 'Ada' }],
    ['card 2', { name: 'Bob' }],
    ['card 3', { name: 'Cy' }],
  ]);
  const found = new Map([
    ['card 1', { name: 'Ada' }],
    ['card 2', { name: 'bob' }],
    ['card 4', { name: 'Dee' }],
  ]);
  expect(mismatchesOf(expected, found, 'card')).toEqual([
    { problem: 'different', dn: 'card 2', attribute: 'card', expected: ['{"name":"Bob"}'], found: ['{"name":"bob"}'] },
    { problem: 'missing', dn: 'card 3' },
    { problem: 'unexpected', dn: 'card 4' },
  ]);
});
