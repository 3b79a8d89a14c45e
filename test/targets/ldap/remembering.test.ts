import { expect, test } from 'vitest';
import { remembering } from '../../../src/targets/ldap/remembering.ts';

/** A function that tells what it was asked. */
function asked(most: number) {
  const calls: string[] = [];
  const ask = remembering((text) => {
    calls.push(text);
    if (text === 'wrong') throw new Error('it is wrong');
    return text.toUpperCase();
  }, most);
  return { ask, calls };
}

test('what was worked out is not worked out again', () => {
  const { ask, calls } = asked(2);
  expect([ask('a'), ask('b'), ask('a'), ask('b')]).toEqual(['A', 'B', 'A', 'B']);
  expect(calls).toEqual(['a', 'b']);
});

test('no more is kept than so many', () => {
  const { ask, calls } = asked(2);
  expect([ask('a'), ask('b'), ask('c'), ask('a')]).toEqual(['A', 'B', 'C', 'A']);
  expect(calls).toEqual(['a', 'b', 'c', 'a']);
});

test('an error is thrown each time', () => {
  const { ask, calls } = asked(2);
  expect(() => ask('wrong')).toThrow('it is wrong');
  expect(() => ask('wrong')).toThrow('it is wrong');
  expect(calls).toEqual(['wrong', 'wrong']);
});
