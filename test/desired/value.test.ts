import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configure, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.query(`create type registry.mood as enum ('sad', 'ok')`);
  await fixture.query('create domain registry.flag as boolean');
  await fixture.query('create domain registry.since as date');
  await fixture.query('create domain registry.tags as text[]');
  await fixture.query('create domain registry.picture as bytea');
});
afterAll(() => fixture.close());

/** The values that a column with this content gives to an attribute. */
async function valuesOf(expression: string): Promise<unknown> {
  await fixture.query('drop view if exists registry.v');
  await fixture.query(`create view registry.v as select 1::bigint as id, ${expression} as x`);
  await fixture.apply(
    configure(
      { person: { view: 'registry.v', key: 'id' } },
      { person: { dn: 'uid={id}', attributes: { x: { from: 'x' } } } },
    ),
  );
  const [row] = await fixture.query<{ x: unknown; same: boolean }>(
    `select attributes -> 'x' as x, open = attributes::text as same
     from staffetta.desired_directory_person`,
  );
  expect(row?.same).toBe(true);
  return row?.x;
}

describe('a column becomes values', () => {
  test.each([
    ["'Zoë'::text", ['Zoë']],
    ["' '::text", [' ']],
    ["''::text", null],
    ['null::text', null],
    ["'ab'::varchar(5)", ['ab']],
    ["'ab'::char(5)", ['ab']],
    ["'n'::name", ['n']],
    ['true', ['TRUE']],
    ['false', ['FALSE']],
    ['null::boolean', null],
    ['true::registry.flag', ['TRUE']],
    ['42::smallint', ['42']],
    ['9007199254740993::bigint', ['9007199254740993']],
    ['1.50::numeric(10,2)', ['1.50']],
    ['123456789012345678901234567890.123::numeric', ['123456789012345678901234567890.123']],
    ['1e25::numeric', ['10000000000000000000000000']],
    ["'NaN'::numeric", null],
    ['1e20::double precision', ['100000000000000000000']],
    ['0.1::double precision', ['0.1']],
    ['0.1::real', ['0.1']],
    ["'-Infinity'::double precision", null],
    ["timestamptz '2026-02-01 00:59:59+01'", ['20260131235959Z']],
    ["timestamptz '2026-01-31 23:59:59.120+00'", ['20260131235959.12Z']],
    ["timestamptz 'infinity'", null],
    ["timestamp '2026-01-31 10:20:30'", ['20260131102030Z']],
    ["date '2026-01-31'", ['20260131000000Z']],
    ["date '-infinity'", null],
    ["date '0044-03-15 BC'", ['00440315000000 BC']],
    ["'2026-01-31'::registry.since", ['20260131000000Z']],
    ["time '10:20:30'", ['10:20:30']],
    ["interval '1 day 2 hours'", ['P1DT2H']],
    ["'\\x00ff'::bytea", [{ base64: 'AP8=' }]],
    ["'\\x'::bytea", null],
    ["'\\x01'::registry.picture", [{ base64: 'AQ==' }]],
    ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
    ["'10.0.0.1'::inet", ['10.0.0.1']],
    ["'10.0.0.0/8'::inet", ['10.0.0.0/8']],
    ["'10.0.0.0/8'::cidr", ['10.0.0.0/8']],
    [`'{"a": [1.0]}'::json`, ['{"a": [1.0]}']],
    [`'{"a":[1.0]}'::jsonb`, ['{"a": [1.0]}']],
    ["'ok'::registry.mood", ['ok']],
  ])('%s', async (expression, values) => {
    expect(await valuesOf(expression)).toEqual(values);
  });

  test('bytes have no line breaks, however many', async () => {
    const bytes = Buffer.alloc(1000, 7);
    expect(await valuesOf(`'\\x${bytes.toString('hex')}'::bytea`)).toEqual([{ base64: bytes.toString('base64') }]);
  });
});

describe('an array becomes values, element by element', () => {
  test.each([
    ["array['b', null, '', 'a', 'b']", ['b', 'a']],
    ["array[['a', 'b'], ['c', 'a']]", ['a', 'b', 'c']],
    ["'{}'::text[]", null],
    ["array[null, '']::text[]", null],
    ["array['a', 'b']::registry.tags", ['a', 'b']],
    ["array['ok', 'sad']::registry.mood[]", ['ok', 'sad']],
    ['array[3, 1]', ['3', '1']],
    ['array[true, null, false]', ['TRUE', 'FALSE']],
    ["array[date '2026-01-31', 'infinity']", ['20260131000000Z']],
    ["array['\\x01', null, '\\x', '\\x01', '\\x00']::bytea[]", [{ base64: 'AQ==' }, { base64: 'AA==' }]],
    ["array['10.0.0.1']::inet[]", ['10.0.0.1']],
    [`array['{"a":1}']::jsonb[]`, ['{"a": 1}']],
  ])('%s', async (expression, values) => {
    expect(await valuesOf(expression)).toEqual(values);
  });

  test('of any length: each value once, in order, none empty', async () => {
    const element = fc.oneof(fc.constantFrom(null, '', 'a', 'A', 'b'), fc.string({ unit: 'grapheme', maxLength: 3 }));
    const storable = element.filter((value) => value === null || !value.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(storable, { maxLength: 150 }), async (elements) => {
        const expected = [...new Set(elements.filter((value) => value !== null && value !== ''))];
        const found = await fixture.value('select staffetta.values_of($1::text[])', [elements]);
        expect(found ?? []).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the text of values is that of their jsonb', () => {
  const character = fc.oneof(
    fc.constantFrom('"', '\\', '/', '\n', '\u0001', '\u007f', '\u2028'),
    fc.string({ unit: 'grapheme', maxLength: 1 }),
  );
  const text = fc.array(character, { maxLength: 4 }).map((characters) => characters.join('').replaceAll('\0', ''));
  const same = (type: string) =>
    `select staffetta.json_of($1::${type}) is not distinct from staffetta.values_of($1::${type})::text`;

  test('of one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.option(text), async (value) => {
        expect(await fixture.value(same('text'), [value])).toBe(true);
        expect(await fixture.value(same('bytea'), [value === null ? null : Buffer.from(value)])).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('of several', async () => {
    await fc.assert(
      fc.asyncProperty(fc.option(fc.array(fc.option(text), { maxLength: 4 })), async (values) => {
        expect(await fixture.value(same('text[]'), [values])).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test.each(["'[0:1]={a,b}'", "'{{a},{b}}'", "'{{a,b},{a,c}}'", "'[2:3]={b,b}'"])('of %s', async (array) => {
    expect(
      await fixture.value(`select staffetta.json_of(${array}::text[]) = staffetta.values_of(${array}::text[])::text`),
    ).toBe(true);
  });
});

test('settings of the session change no value', async () => {
  const columns = `timestamptz '2026-01-31 23:59:59.5+00' as at, date '2026-01-31' as day, interval '1 day 2 hours' as age, '\\x00ff'::bytea as photo,
    0.1::double precision as ratio, 12.5::real as share, array[timestamptz '2026-01-31 23:59:59+00'] as moments`;
  await fixture.query(`create view registry.v_settings as select 1 as id, ${columns}`);
  await fixture.apply(
    configure({ person: { view: 'registry.v_settings', key: 'id' } }, { person: { dn: 'uid={day}' } }),
  );
  const read = () => fixture.query('select * from staffetta.desired_directory_person');
  const before = await read();
  await fixture.query(`set timezone = 'Asia/Kathmandu'; set datestyle = 'German, DMY'; set intervalstyle = 'postgres_verbose';
    set extra_float_digits = -15; set bytea_output = 'escape'`);
  try {
    expect(await read()).toEqual(before);
  } finally {
    await fixture.query(
      'reset timezone; reset datestyle; reset intervalstyle; reset extra_float_digits; reset bytea_output',
    );
  }
});
