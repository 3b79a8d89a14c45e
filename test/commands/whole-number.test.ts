import { expect, test } from 'vitest';
import { wholeNumber } from '../../src/commands/whole-number.ts';

const from1 = wholeNumber(1);

test('an option that is a whole number is read as one', () => {
  expect([from1('1'), from1('50')]).toEqual([1, 50]);
});

test.each(['0', '-1', '1.5', 'many', '', ' '])('"%s" is no whole number from 1 on', (text) => {
  expect(() => from1(text)).toThrow('Expected a whole number from 1 on.');
});
