import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillIn, substitute } from '../../src/config/env.ts';

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/);
const plain = fc.string({ unit: 'binary' }).filter((text) => !text.includes('$'));

describe('a text with variables', () => {
  test('holds what the environment says, whatever that is, and all else as it was', () => {
    fc.assert(
      fc.property(plain, name, fc.string({ unit: 'binary' }), plain, (before, variable, value, after) => {
        const { text, mistakes } = substitute(`${before}\${${variable}}${after}`, { [variable]: value });
        expect(text).toBe(before + value + after);
        expect(mistakes).toEqual([]);
      }),
    );
  });

  test('keeps what is escaped', () => {
    fc.assert(
      fc.property(plain, name, (before, variable) => {
        const { text, changed } = substitute(`${before}$\${${variable}}`, { [variable]: 'never' });
        expect(text).toBe(`${before}\${${variable}}`);
        expect(changed).toBe(false);
      }),
    );
  });

  test('without a variable is not changed, dollars or not', () => {
    for (const text of ['$1', '$$', 'a$b', '{x}', '$ {x}', '$$body$$']) {
      expect(substitute(text, {})).toEqual({ text, changed: false, mistakes: [] });
    }
  });

  test('names a variable that is not set, and takes an empty one', () => {
    expect(substitute(`\${A}\${B}`, { A: '' }).mistakes).toEqual(['the environment variable B is not set']);
  });

  test('does not look at what a variable holds', () => {
    expect(substitute(`\${A}`, { A: `\${B} $\${C}` }).text).toBe(`\${B} $\${C}`);
  });
});

test('variables are put into every text of a file, never into a key', () => {
  const variable = '$'.concat('{A}');
  const { value, filled } = fillIn({ [variable]: ['x', { y: `is ${variable}` }], n: 5, none: null }, { A: '1' });
  expect(value).toEqual({ [variable]: ['x', { y: 'is 1' }], n: 5, none: null });
  expect([...filled]).toEqual([`["${variable}",1,"y"]`]);
});
