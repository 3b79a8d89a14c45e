import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dnKey, readDn } from '../../src/demo/dn-reader.ts';

test('a name is taken apart, with its escapes undone', () => {
  expect(readDn('UID=o\\2Cbrien\\, jr,ou=people,dc=x')).toEqual([
    [['uid', 'o,brien, jr']],
    [['ou', 'people']],
    [['dc', 'x']],
  ]);
  expect(readDn('cn=a\\+b+sn=c\\\\,dc=x')).toEqual([
    [
      ['cn', 'a+b'],
      ['sn', 'c\\'],
    ],
    [['dc', 'x']],
  ]);
  expect(readDn('cn=\\20Gr\\C3\\BC\\c3\\9f\\ ,dc=x')).toEqual([[['cn', ' Grüß ']], [['dc', 'x']]]);
  expect(readDn('')).toEqual([]);
  expect(() => readDn('nonsense')).toThrow('not a distinguished name: nonsense');
});

test('any value is read back, whether escaped by characters or by hex pairs', () => {
  const character = (value: string) => value.replace(/[",+;<>\\=# ]/gu, '\\$&');
  const hex = (value: string) =>
    Array.from(Buffer.from(value), (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const value = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), fc.constantFrom(character, hex), (values, escaped) => {
      const dn = values.map((each) => `cn=${escaped(each)}`).join(',');
      expect(readDn(dn)).toEqual(values.map((each) => [['cn', each]]));
    }),
  );
});

test('case, spelling and repeated spaces do not make another entry; anything else does', () => {
  const key = (dn: string) => dnKey(readDn(dn));
  expect(key('CN=Zo\u00e9  X,DC=Y')).toBe(key('cn=zoe\u0301 x,dc=y'));
  expect(key('cn=a\\,b')).not.toBe(key('cn=a,cn=b'));
  expect(key('cn=a+cn=b')).not.toBe(key('cn=a,cn=b'));
  expect(key('cn=a')).not.toBe(key('sn=a'));
});
