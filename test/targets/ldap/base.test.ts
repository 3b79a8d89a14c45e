import { describe, expect, test } from 'vitest';
import { type LdapMapping, ldap } from '../../../src/config/ldap.ts';
import { basesOf } from '../../../src/targets/ldap/base.ts';
import { readStableId, writeStableId } from '../../../src/targets/ldap/stable-id.ts';

function mapping(dn: string, disabled?: string): LdapMapping {
  const entity = { dn, ...(disabled !== undefined && { disable: { dn: disabled } }) };
  const bind = { dn: 'cn=us', password: 'x' };
  const { person } = ldap.parse({
    type: 'ldap',
    url: 'ldap://localhost',
    bind,
    entities: { person: entity },
  }).entities;
  if (person === undefined) throw new Error('no mapping');
  return person;
}

describe('the entries of an entity are', () => {
  test.each<[string, string | undefined, string[]]>([
    ['uid={uid},ou=people,dc=x', undefined, ['ou=people,dc=x']],
    ['uid={uid}, ou=people,dc=x', undefined, ['ou=people,dc=x']],
    ['uid={uid}+cn=a,dc=x', undefined, ['dc=x']],
    ['cn={a} {b},ou={unit},ou=a\\, b,dc=x', undefined, ['ou=a\\, b,dc=x']],
    ['cn={a}\\, Jr.,ou=people,dc=x', undefined, ['ou=people,dc=x']],
    ['uid={uid},{base}', undefined, ['dc=root']],
    ['cn={name} of ours', undefined, ['dc=root']],
    ['uid={uid},ou=people,dc=x', '{former}', ['ou=people,dc=x', 'dc=root']],
    ['cn=only,ou=one,dc=x', undefined, ['ou=one,dc=x']],
    ['uid={uid},ou=people,dc=x', 'uid={uid},ou=former,dc=x', ['ou=people,dc=x', 'ou=former,dc=x']],
    ['uid={uid},ou=people,dc=x', 'uid={uid},OU=People,dc=x', ['ou=people,dc=x']],
    ['uid={uid},ou=people,dc=x', 'uid={uid},ou=former,ou=people,dc=x', ['ou=people,dc=x']],
    ['uid={uid},ou=people,dc=x', 'uid={uid},dc=x', ['dc=x']],
  ])('for %s and %s, below %o', (dn, disabled, bases) => {
    expect(basesOf(mapping(dn, disabled), ['dc=root'])).toEqual(bases);
  });

  test.each([
    ['{dn}', undefined],
    ['uid={uid},ou=people,dc=x', '{former}'],
  ])('nobody knows where, for %s and %s, where the server shows no tree', (dn, disabled) => {
    expect(() => basesOf(mapping(dn, disabled), [])).toThrow(
      expect.objectContaining({ kind: 'misconfigured', message: expect.stringContaining('the root DSE') }),
    );
  });

  test('nowhere, where the template is no name', () => {
    expect(() => basesOf(mapping('uid={uid},people'), [])).toThrow(expect.objectContaining({ kind: 'misconfigured' }));
  });
});

test('the stable id of Active Directory is written as its tools write it, and found by its bytes', () => {
  const bytes = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  expect(readStableId('objectGUID', bytes)).toBe('33221100-5544-7766-8899-aabbccddeeff');
  expect(writeStableId('objectGUID', readStableId('objectGUID', bytes))).toEqual(bytes);
});
