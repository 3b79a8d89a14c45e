import { expect, test } from 'vitest';
import { readLdif } from '../../src/demo/ldif.ts';

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

test('an entry is read with all its values', () => {
  const entries = readLdif('dn: cn=a,dc=x\ncn: a\nmail: 1@x\nmail: 2@x\n\ndn: cn=b,dc=x\ncn: b\n');
  expect(entries).toEqual(
    new Map([
      ['cn=a,dc=x', { cn: ['a'], mail: ['1@x', '2@x'] }],
      ['cn=b,dc=x', { cn: ['b'] }],
    ]),
  );
});

test('folded lines are joined, wherever they were folded', () => {
  expect(readLdif('dn: cn=a\n ,dc=x\nde\n scription: two  \n  words\n')).toEqual(
    new Map([['cn=a,dc=x', { description: ['two   words'] }]]),
  );
});

test('base64 is decoded, also in a DN, across a fold, and with a byte order mark', () => {
  const [head, tail] = [base64('Ångström').slice(0, 5), base64('Ångström').slice(5)];
  expect(readLdif(`dn:: ${base64('cn=é,dc=x')}\nsn:: ${head}\n ${tail}\ncn:: ${base64('\ufeff mark')}\n`)).toEqual(
    new Map([['cn=é,dc=x', { sn: ['Ångström'], cn: ['\ufeff mark'] }]]),
  );
});

test('bytes that are no text stay in base64', () => {
  const photo = base64(Buffer.of(0xff, 0xd8, 0xff));
  expect(readLdif(`dn: cn=a\njpegPhoto:: ${photo}\n`).get('cn=a')).toEqual({ jpegPhoto: [`base64:${photo}`] });
});

test('comments, the version, referrals and Windows line ends are passed over', () => {
  const text = 'version: 1\n\n# a com\n ment\ndn: cn=a\ncn: a\n# pagedresults: cookie=x\n\nref: ldap://b/\n';
  expect(readLdif(text.replaceAll('\n', '\r\n'))).toEqual(new Map([['cn=a', { cn: ['a'] }]]));
});

test('what is not LDIF, or comes twice, is an error', () => {
  expect(() => readLdif('dn: cn=a\nnonsense\n')).toThrow('not a line of LDIF: nonsense');
  expect(() => readLdif('dn: cn=a\n\ndn: cn=a\n')).toThrow('an entry comes twice: cn=a');
});
