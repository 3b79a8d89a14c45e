import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDn } from '../../src/targets/ldap/dn.ts';
import { createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

const hard = fc.constantFrom(
  ',',
  '+',
  '"',
  '\\',
  '<',
  '>',
  ';',
  '#',
  '=',
  ' ',
  '\n',
  '\x01',
  '\x7f',
  'é',
  'e\u0301',
  '\u200f',
  '李',
  '\\2C',
);
const value = fc
  .oneof(
    fc.array(hard, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', minLength: 1 }),
  )
  .filter((text) => !text.includes('\0'));

test('a value escaped in SQL is read back by the parser of names', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 20, maxLength: 20 }), async (values) => {
      const escaped = await fixture.query<{ escaped: string }>(
        'select staffetta.rfc4514(v) as escaped from unnest($1::text[]) with ordinality u(v, n) order by n',
        [values],
      );
      const read = escaped.map((row) => parseDn(`uid=${row.escaped},ou=people,dc=example`));
      expect(read).toEqual(
        values.map((text) => [
          [{ type: 'uid', value: text }],
          [{ type: 'ou', value: 'people' }],
          [{ type: 'dc', value: 'example' }],
        ]),
      );
    }),
    { numRuns: 100 },
  );
});

test.each([
  ['Doe, Jane', 'Doe\\2C Jane'],
  ['#1', '\\231'],
  [' ', '\\20'],
  ['  ', '\\20\\20'],
  [' a ', '\\20a\\20'],
  ['a=b', 'a=b'],
  ['a\\', 'a\\5C'],
  ['a\nb\x7f', 'a\\0Ab\\7F'],
  ['<"+;>', '\\3C\\22\\2B\\3B\\3E'],
  ['', ''],
  [null, null],
])('%j is escaped as %j', async (text, escaped) => {
  expect(await fixture.value('select staffetta.rfc4514($1::text)', [text])).toBe(escaped);
});
