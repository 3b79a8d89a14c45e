import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseScimPath, printScimPath, type ScimPath, ScimPathError } from '../../src/config/scim-path.ts';

const name = fc.stringMatching(/^[A-Za-z$][A-Za-z0-9_$-]{0,8}$/);
const schema = fc.constantFrom(
  'urn:ietf:params:scim:schemas:core:2.0:User',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  'urn:example:a-b_c',
);
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((number) => Number(number.toFixed(3)) + 0),
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const path = fc.record({
  schema: fc.oneof(fc.constant(undefined), schema),
  attribute: name,
  filter: fc.array(fc.record({ attribute: name, value }), { maxLength: 3 }),
  sub: maybe(name),
});

describe('a path', () => {
  test('is read as it was printed', () => {
    fc.assert(
      fc.property(path, (given) => {
        expect(parseScimPath(printScimPath(given))).toEqual(given);
      }),
    );
  });

  test.each<[string, Partial<ScimPath>]>([
    ['userName', { attribute: 'userName' }],
    ['name.familyName', { attribute: 'name', sub: 'familyName' }],
    [
      'emails[type eq "work"].value',
      { attribute: 'emails', filter: [{ attribute: 'type', value: 'work' }], sub: 'value' },
    ],
    [
      'addresses[type EQ "a ] \\" b" AND primary eq True].locality',
      {
        attribute: 'addresses',
        filter: [
          { attribute: 'type', value: 'a ] " b' },
          { attribute: 'primary', value: true },
        ],
        sub: 'locality',
      },
    ],
    [
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value',
      { schema: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', attribute: 'manager', sub: 'value' },
    ],
  ])('%s is read', (text, expected) => {
    expect(parseScimPath(text)).toEqual({ schema: undefined, filter: [], sub: undefined, ...expected });
  });

  test.each([
    '',
    '.a',
    'a.',
    'a b',
    'a.b.c',
    'emails[type]',
    'emails[type eq work]',
    'emails[type eq "a" or type eq "b"]',
    'urn:x',
    'a[]',
    'a[b eq "\\x"]',
    'a[b eq 1 and ]',
  ])('%j is none', (text) => expect(() => parseScimPath(text)).toThrow(ScimPathError));
});
