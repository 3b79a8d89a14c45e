import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { passwordModify, passwordValue } from '../../../src/targets/ldap/password.ts';

test('the operation names the entry and the new password, and no old one (RFC 3062)', () => {
  const { oid, value } = passwordModify('uid=anna', 'sesam');
  expect(oid).toBe('1.3.6.1.4.1.4203.1.11.1');
  expect(Buffer.from(value).toString('hex')).toBe(
    `3011${'80'}08${Buffer.from('uid=anna').toString('hex')}${'82'}05${Buffer.from('sesam').toString('hex')}`,
  );
});

test('a salted hash is that of the password and the salt behind it, another each time', () => {
  const [one, other] = [passwordValue('ssha512', 'sesam'), passwordValue('ssha512', 'sesam')];
  expect(one).not.toBe(other);
  const bytes = Buffer.from(one.replace('{SSHA512}', ''), 'base64');
  const [digest, salt] = [bytes.subarray(0, 64), bytes.subarray(64)];
  expect(salt).toHaveLength(16);
  expect(createHash('sha512').update('sesam').update(salt).digest()).toEqual(digest);
});

test('in clear text it is as it is', () => {
  expect(passwordValue('cleartext', 'sesam')).toBe('sesam');
});
