import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseTemplate } from '../../src/config/template.ts';
import { compileTemplate } from '../../src/desired/template.ts';
import { createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

/** What PostgreSQL makes of a template with these columns. */
async function render(template: string, columns: Record<string, string | null>): Promise<unknown> {
  const values = Object.entries(columns).map(
    ([name, value]) => `${value === null ? 'null' : pg.escapeLiteral(value)}::text as ${pg.escapeIdentifier(name)}`,
  );
  const sql = compileTemplate(parseTemplate(template), (column) => `v.${pg.escapeIdentifier(column)}`);
  return fixture.value(`select ${sql} from (select ${['1 as one', ...values].join(', ')}) v`);
}

describe('a column that is needed', () => {
  test('stands where it is named', async () => {
    expect(await render('uid={uid},ou=people', { uid: 'anna' })).toBe('uid=anna,ou=people');
  });

  test.each([null, ''])('leaves nothing when it is %j', async (uid) => {
    expect(await render('uid={uid},ou=people', { uid })).toBeNull();
  });
});

describe('a column that is optional', () => {
  test.each([
    ['{a?} {b?}', 'A', 'B', 'A B'],
    ['{a?} {b?}', 'A', '', 'A'],
    ['{a?} {b?}', null, 'B', 'B'],
    ['{a?} {b?}', null, '', null],
    ['{a} {b?} C', 'A', '', 'A C'],
    ['{a?}, {b?}!', 'A', null, 'A,!'],
    ['({a?} x) {b}', '', 'B', '(x) B'],
    ['{a?}  {b?}', '', '', null],
    ['{a?}  {b}', '', 'B', ' B'],
    ['{a}  {b?}', 'A', '', 'A '],
    ['{a?}-{b?}', '', '', '-'],
    ['x {a?} {b?} y', '', '', 'x y'],
    ['{a}{b?} z', 'A', '', 'A z'],
    ['{b?}{a?} z', '', '', 'z'],
    ['{a?}', ' ', '', null],
    ['{a}', '\t\n', '', null],
    [' {a} ', 'A', '', ' A '],
  ])('%s with %j and %j is %j', async (template, a, b, expected) => {
    expect(await render(template, { a, b })).toBe(expected);
  });

  test('never takes a space of a value', async () => {
    expect(await render('{a}{b?}', { a: 'A ', b: '' })).toBe('A ');
    expect(await render('{a}-{b?} {c}', { a: 'A', b: null, c: ' C' })).toBe('A- C');
  });

  test.each([
    [{ a: null, b: null, c: 'C' }, 'C'],
    [{ a: null, b: 'B', c: null }, 'B'],
    [{ a: 'A', b: null, c: 'C' }, 'A C'],
    [{ a: 'A', b: null, c: null }, 'A'],
    [{ a: null, b: 'B', c: 'C' }, 'B C'],
    [{ a: null, b: null, c: null }, null],
  ])('of several with single spaces between them: %j gives %j', async (columns, expected) => {
    expect(await render('{a?} {b?} {c?}', columns)).toBe(expected);
  });
});

test('braces, quotes, backslashes and dollars in the text stand as they are', async () => {
  expect(await render(`{{x}} '\\ $staffetta$ %s {a}`, { a: '1' })).toBe(`{x} '\\ $staffetta$ %s 1`);
});

test('for any columns, a template of optional ones joined by spaces is what is there, joined by spaces', async () => {
  const value = fc.oneof(fc.constantFrom(null, ''), fc.stringMatching(/^[^\0\s]{1,3}( [^\0\s])?$/));
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
      const columns = Object.fromEntries(values.map((each, index) => [`c${index}`, each]));
      const template = Object.keys(columns)
        .map((name) => `{${name}?}`)
        .join(' ');
      const expected = values.filter((each) => each !== null && each !== '').join(' ');
      expect(await render(template, columns)).toBe(expected === '' ? null : expected);
    }),
    { numRuns: 150 },
  );
});
