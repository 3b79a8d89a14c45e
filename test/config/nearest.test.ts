import { expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

const keys = ['dn', 'view', 'startTls', 'attributes', 'deprovision'];

test.each([
  ['dnn', 'dn'],
  ['nd', 'dn'],
  ['startTLS', 'startTls'],
  ['atributs', 'attributes'],
  ['deprovison', 'deprovision'],
  ['veiw', 'view'],
  ['hobbies', undefined],
  ['x', undefined],
])('%s was probably meant to be %s', (word, meant) => {
  expect(nearest(word, keys)).toBe(meant);
});
