import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distinctValues, sameValues } from '../../../src/targets/ldap/compare.ts';
import { Schema } from '../../../src/targets/ldap/schema.ts';
import type { Value } from '../../../src/targets/target.ts';

const builtIn = new Schema();
const read = new Schema(
  [
    "( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
    "( 1.1.1 NAME ( 'nickname' 'alias' ) DESC 'a (nick) name' SUP name )",
    "( 1.1.2 NAME 'code' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )",
    "( 1.1.3 NAME 'blob' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
    "( 1.1.4 NAME 'scan' SYNTAX 1.3.6.1.4.1.1466.115.121.1.28 X-ORIGIN 'ours' )",
    "( 1.1.5 NAME 'seal' SYNTAX 1.3.6.1.4.1.1466.115.121.1.8 )",
    '( 1.1.6 SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )',
    "( 1.1.7 NAME 'chicken' SUP egg )",
    "( 1.1.8 NAME 'egg' SUP chicken )",
    'not a definition',
    '',
  ],
  [
    "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
    "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) )",
    "( 1.2.1 NAME 'fellow' SUP person STRUCTURAL )",
    '( 1.2.2 SUP fellow )',
    "( 1.2.3 NAME 'serpent' SUP tail )",
    "( 1.2.4 NAME 'tail' SUP serpent )",
    'not a definition',
  ],
  ['token'],
);

describe('values are compared', () => {
  test.each<[string, Value, Value, boolean]>([
    ['cn', 'Anna  Maria ', 'anna maria', true],
    ['surname', 'Müller', 'MÜLLER', true],
    ['CN;lang-de', 'Anna', 'anna', true],
    ['uid', 'a', 'b', false],
    ['loginShell', '/bin/Sh', '/bin/sh', false],
    ['member', 'uid=A, ou=People,dc=x', 'UID=a,OU=people,dc=X', true],
    ['member', 'cn=Smith\\, J,dc=x', 'cn=Smith\\2C J,dc=x', true],
    ['member', 'uid=a,dc=x', 'uid=b,dc=x', false],
    ['member', 'no name', 'No name', false],
    ['uniqueMember', "uid=A,dc=x#'01'B", "uid=a,dc=x#'01'B", true],
    ['uniqueMember', "uid=a,dc=x#'01'B", 'uid=a,dc=x', false],
    ['uniqueMember', "no name#'01'B", "No name#'01'B", false],
    ['telephoneNumber', '+39 011-123 45', '+390111 2345', true],
    ['uidNumber', '007', '7', true],
    ['uidNumber', '9007199254740993', '9007199254740992', false],
    ['createTimestamp', '20260131120000Z', '20260131130000.0+0100', true],
    ['createTimestamp', '202601311230Z', '2026013112.5Z', true],
    ['createTimestamp', '20260131120000.5Z', '20260131120000.05Z', false],
    ['createTimestamp', '20260131120000Z', '20260131110000-0100', true],
    ['createTimestamp', 'yesterday', 'Yesterday', false],
    ['x121Address', '12 34', '1234', true],
    ['hasSubordinates', 'true', 'TRUE', true],
    ['entryUUID', '1A2B', '1a2b', true],
    ['uidNumber', 'seven', 'Seven', false],
    ['postalAddress', 'Via  Po 1$Torino', 'via po 1$TORINO', true],
    ['postalAddress', 'Via Po 1$Torino', 'Via Po 1 Torino', false],
    ['userPassword', '{SSHA}abc', '{SSHA}ABC', false],
    ['userPassword', 'abc', { base64: 'YWJj' }, true],
    ['jpegPhoto', { base64: '/9j/' }, { base64: '/9j/' }, true],
    ['jpegPhoto', { base64: '/9j/' }, { base64: '/9k/' }, false],
    ['userCertificate', { base64: 'MAA=' }, { base64: 'MAA=' }, true],
    ['objectClass', 'inetOrgPerson', 'INETORGPERSON', true],
    ['unheardOf', 'a', 'A', false],
  ])('%s: %o and %o → %s', (attribute, left, right, equal) => {
    expect(sameValues(builtIn, attribute, [left], [right])).toBe(equal);
  });

  test.each<[string, Value, Value, boolean]>([
    ['nickname', 'Ninì', 'NINÌ', true],
    ['alias', 'Ninì', 'NINÌ', true],
    ['1.1.1', 'Ninì', 'NINÌ', true],
    ['code', 'a', 'A', false],
    ['code', 'a  b', 'a b', true],
    ['blob', 'a', 'A', false],
    ['cn', 'a', 'A', true],
    ['1.1.6', '007', '7', true],
    ['chicken', 'a', 'A', false],
  ])('by the rules of the server, %s: %o and %o → %s', (attribute, left, right, equal) => {
    expect(sameValues(read, attribute, [left], [right])).toBe(equal);
  });

  test('an object class is all classes above it, too', () => {
    expect(sameValues(read, 'objectClass', ['fellow'], ['top', 'person', 'Fellow'])).toBe(true);
    expect(sameValues(read, 'objectClass', ['1.2.1'], ['fellow'])).toBe(true);
    expect(sameValues(read, 'objectClass', ['person'], ['fellow'])).toBe(false);
    expect(sameValues(read, 'objectClass', ['1.2.2'], ['1.2.2', 'person'])).toBe(true);
    expect(sameValues(read, 'objectClass', ['serpent'], ['tail'])).toBe(true);
  });

  test('as sets: neither order nor repetition nor an empty value counts', () => {
    expect(sameValues(builtIn, 'mail', ['a@x', 'B@x'], ['b@x', 'A@x', 'a@X', ''])).toBe(true);
    expect(sameValues(builtIn, 'mail', ['a@x'], ['a@x', 'b@x'])).toBe(false);
    expect(sameValues(builtIn, 'mail', [''], [])).toBe(true);
    expect(distinctValues(builtIn, 'cn', ['Anna', '', 'ANNA', 'Eva'])).toEqual(['Anna', 'Eva']);
  });

  test('so that equality holds both ways, and through a third', () => {
    const attribute = fc.constantFrom(
      'cn',
      'member',
      'telephoneNumber',
      'uidNumber',
      'createTimestamp',
      'userPassword',
      'other',
    );
    const value = fc.oneof(
      fc.constantFrom('a', 'A', ' a', '1', '01', 'cn=a', 'CN=A', '20260131120000Z', '20260131120000.0Z'),
      fc.string({ unit: 'binary' }),
    );
    const values = fc.array(value, { maxLength: 3 });
    fc.assert(
      fc.property(attribute, values, values, values, (name, a, b, c) => {
        expect(sameValues(builtIn, name, a, [...a].reverse())).toBe(true);
        expect(sameValues(builtIn, name, a, b)).toBe(sameValues(builtIn, name, b, a));
        if (sameValues(builtIn, name, a, b) && sameValues(builtIn, name, b, c)) {
          expect(sameValues(builtIn, name, a, c)).toBe(true);
        }
      }),
    );
  });
});

describe('a schema', () => {
  test('says which attributes hold bytes, and which are sent with ;binary', () => {
    expect(read.type('scan').binary).toBe(true);
    expect(read.type('token').binary).toBe(true);
    expect(read.type('anything;binary').binary).toBe(true);
    expect(read.type('blob').binary).toBe(false);
    expect(read.sent('seal')).toBe('seal;binary');
    expect(read.sent('userCertificate;binary')).toBe('userCertificate;binary');
    expect(read.sent('scan')).toBe('scan');
  });

  test('knows one name for all names of an attribute', () => {
    expect(read.canonical('Surname')).toBe(read.canonical('sn'));
    expect(read.canonical('alias')).toBe(read.canonical('NICKNAME'));
    expect(read.canonical('seal;binary')).toBe(read.canonical('seal'));
    expect(read.canonical('cn;lang-de')).not.toBe(read.canonical('cn'));
    expect(read.knows('alias')).toBe(true);
    expect(read.knows('unheardOf')).toBe(false);
    expect(builtIn.knows('unheardOf')).toBe(true);
  });
});
