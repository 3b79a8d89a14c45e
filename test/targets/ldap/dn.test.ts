import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Dn,
  DnSyntaxError,
  escapeValue,
  formatDn,
  isBelow,
  normaliseDn,
  parentDn,
  parseDn,
} from '../../../src/targets/ldap/dn.ts';

/** What people and programs put into names, and what has a meaning in a DN. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.string({ unit: fc.constantFrom(...' ,+"\\<>;=#\u0000\n\té字ß\u0301\u{1F600}aA'), minLength: 1 }),
);
const type = fc.constantFrom('cn', 'UID', 'ou', '2.5.4.3', 'x-own');
const rdn = fc.array(fc.record({ type, value: nasty }), { minLength: 1, maxLength: 3 });
const dn: fc.Arbitrary<Dn> = fc.array(rdn, { minLength: 1, maxLength: 4 });

/** As `staffetta.rfc4514` in SQL escapes a value. */
function asSql(value: string): string {
  const escaped = value.replace(/[\\,"+<>;]/g, (letter) => `\\${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return escaped.replace(/^#/, '\\23').replace(/^ /, '\\20').replace(/ $/, '\\20');
}

/** With backslashes before the characters themselves, as many programs do (RFC 4514 §2.4). */
function withBackslashes(value: string): string {
  return value.replace(/[\\,"+<>;]|^[ #]| $/g, '\\$&');
}

const single = (value: string): Dn => [[{ type: 'cn', value }]];

describe('a distinguished name', () => {
  test('is read as it was written, whatever its values hold', () => {
    fc.assert(
      fc.property(dn, (given) => {
        expect(parseDn(formatDn(given))).toEqual(given);
      }),
    );
  });

  test('is read from the escapes of others to the same value', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        expect(parseDn(`cn=${asSql(value)}`)).toEqual(single(value));
        expect(parseDn(`cn=${withBackslashes(value)}`)).toEqual(single(value));
        expect(parseDn(`cn="${value.replace(/["\\]/g, '\\$&')}"`)).toEqual(single(value));
        expect(parseDn(`cn=${Buffer.from(value).toString('hex').replace(/../g, '\\$&')}`)).toEqual(single(value));
      }),
    );
  });

  test('holds no character of meaning once it is escaped', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        expect(escapeValue(value)).toMatch(/^(?:[^\\,+"<>;]|\\[0-9A-F]{2})*$/);
      }),
    );
  });

  test.each<[string, string]>([
    ['', ''],
    ['cn=Smith\\, John,o=X', 'cn=Smith\\2C John,o=X'],
    ['CN = Anna , O = X', 'CN=Anna,O=X'],
    ['cn=Anna;o=X', 'cn=Anna,o=X'],
    ['cn="a, b" + uid=1 , o=X', 'cn=a\\2C b+uid=1,o=X'],
    ['cn=\\20a\\ ,o=X', 'cn=\\20a\\20,o=X'],
    ['cn=ends in a backslash\\5C,o=X', 'cn=ends in a backslash\\5C,o=X'],
    ['cn=ends in a backslash\\\\,o=X', 'cn=ends in a backslash\\5C,o=X'],
    ['cn=Lu\\C4\\8Di\\C4\\87', 'cn=Lučić'],
    ['OID.2.5.4.3=a', '2.5.4.3=a'],
    ['1.3.6.1.4.1.1466.0=#04024869', '1.3.6.1.4.1.1466.0=Hi'],
    ['cn=#300100', 'cn=#300100'],
    ['cn=a=b#c', 'cn=a=b#c'],
    ['cn=', 'cn='],
  ])('%s is read as %s', (text, formatted) => {
    expect(formatDn(parseDn(text))).toBe(formatted);
  });

  test.each([
    'cn',
    '=a',
    'cn=a,',
    'cn=a+',
    'cn=a,,o=b',
    'cn="a',
    'cn=a"b',
    'cn=\\zz',
    'cn=\\FF',
    'c n=a',
    ',',
    'cn=a\\',
  ])('%s is refused', (text) => {
    expect(() => parseDn(text)).toThrow(DnSyntaxError);
  });
});

describe('two distinguished names', () => {
  test.each<[string, string]>([
    ['uid=Anna,DC=Example', 'UID=anna,dc=example'],
    ['commonName=a,organizationalUnitName=b', 'cn=a,2.5.4.11=b'],
    ['cn=Anna   Maria, o=X', 'cn= anna maria,o=x'],
    ['cn=a\\20,o=x', 'cn=a,o=x'],
    ['uid=1+cn=a,o=x', 'cn=A+uid=1,o=x'],
    ['cn=Smith\\, J', 'cn="smith, j"'],
    ['cn=ÉTÉ', 'cn=e\u0301te\u0301'],
    ['cn=ﬁn', 'cn=FIN'],
    ['cn=#04024869', 'cn=hi'],
    ['1.2.3=#0500,o=x', '1.2.3 = #0500 , O=X'],
    ['cn=#0400A1', 'CN=#0400a1'],
  ])('%s and %s are the same', (one, other) => {
    expect(normaliseDn(one)).toBe(normaliseDn(other));
  });

  test.each<[string, string]>([
    ['cn=a,o=x', 'o=x,cn=a'],
    ['cn=a,o=x', 'cn=a+o=x'],
    ['cn=a\\,o=x', 'cn=a,o=x'],
    ['cn=e', 'cn=é'],
    ['cn=straße', 'cn=strasse'],
    ['1.2.3=#0500', '1.2.3=#0501'],
    ['cn=#04', 'cn=\\#04'],
    ['cn=#0402ffff', 'cn=#0402fffe'],
  ])('%s and %s are not', (one, other) => {
    expect(normaliseDn(one)).not.toBe(normaliseDn(other));
  });

  test('have a common form that is its own common form', () => {
    fc.assert(
      fc.property(dn, (given) => {
        const normal = normaliseDn(formatDn(given));
        expect(normaliseDn(normal)).toBe(normal);
      }),
    );
  });

  test('are the same in any order of the attributes of a level, in any case of their types', () => {
    fc.assert(
      fc.property(dn, (given) => {
        const turned = given.map((level) =>
          [...level].reverse().map((naming) => ({ ...naming, type: naming.type.toUpperCase() })),
        );
        expect(normaliseDn(formatDn(turned))).toBe(normaliseDn(formatDn(given)));
      }),
    );
  });

  test('are the same whether or not a level is plain enough to be read without parsing it', () => {
    const plain = fc.string({ unit: fc.constantFrom(...'aZ09._@-'), minLength: 1 });
    fc.assert(
      fc.property(fc.constantFrom('cn', 'UID', 'userid', 'x-own'), plain, dn, (type, value, above) => {
        const hex = Buffer.from(value).toString('hex').replace(/../g, '\\$&');
        const rest = formatDn(above);
        expect(normaliseDn(`${type}=${value},${rest}`)).toBe(normaliseDn(`${type}=${hex},${rest}`));
      }),
    );
    expect(() => normaliseDn('uid=ada,ou')).toThrow(
      'expected an attribute name and "=" at character 9 of "uid=ada,ou"',
    );
    expect(() => normaliseDn('uid=ada,')).toThrow(DnSyntaxError);
  });

  test('are below each other as their levels say', () => {
    expect(isBelow('uid=a,OU=People,dc=x', 'ou=people, dc=x')).toBe(true);
    expect(isBelow('dc=x', 'dc=x')).toBe(true);
    expect(isBelow('dc=x', '')).toBe(true);
    expect(isBelow('uid=a\\,ou=people,dc=x', 'ou=people,dc=x')).toBe(false);
    expect(isBelow('dc=x', 'ou=people,dc=x')).toBe(false);
    expect(parentDn(parseDn('uid=a,dc=x'))).toEqual(parseDn('dc=x'));
    expect(parentDn([])).toBeUndefined();
  });
});
