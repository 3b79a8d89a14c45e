import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configuration, createSite, type Site } from '../apply/site.ts';

/** Types whose equality is missing, or calls different values the same: a column and two of its values. */
const values: readonly [name: string, type: string, from: string, to: string][] = [
  ['json', 'json', `'{"a": 1}'`, `'{"a": 2}'`],
  ['an array of json', 'json[]', `array['1'::json]`, `array['2'::json]`],
  ['xml', 'xml', `'<a/>'`, `'<b/>'`],
  ['a point', 'point', `'(1,2)'`, `'(1,3)'`],
  ['a composite type that holds json', 'registry.pair', `row(1, '1')`, `row(1, '2')`],
  ['an enumeration', 'registry.mood', `'glad'`, `'sad'`],
  ['a domain', 'registry.short', `'a'`, `'b'`],
  ['a range', 'daterange', `'[2026-01-01,2026-02-01)'`, `'[2026-01-01,2026-03-01)'`],
  ['another case, where the collation takes it for the same', 'text collate registry.loose', `'ada'`, `'Ada'`],
  ['citext in another case', 'registry.citext', `'ada'`, `'Ada'`],
  ['hstore', 'registry.hstore', `'a=>1'`, `'a=>2'`],
  ['numbers with more digits', 'numeric', '1.0', '1.00'],
  ['long text', 'text', `repeat('x', 100000)`, `repeat('x', 99999) || 'y'`],
  ['from NULL', 'int', 'null', '1'],
  ['to NULL', 'bytea', `'x'`, 'null'],
];

let site: Site;
beforeAll(async () => {
  site = await createSite(`
    create extension citext schema registry;
    create extension hstore schema registry;
    create type registry.pair as (a int, b json);
    create type registry.mood as enum ('glad', 'sad');
    create domain registry.short as varchar(3) check (value <> '');
    create collation registry.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table registry.person (id bigint primary key, uid text, profile json, seen timestamptz);
    create table registry.shared (id bigint primary key, person_id bigint, a int, b int);
    create table registry.typed (id bigint primary key, unwatched int, ${values.map(([, type], index) => `c${index} ${type}`).join(', ')});
    create table registry.odd_key (id bigint primary key, uid text collate registry.loose, other int);
    create view registry.v_uid as select uid collate "C" as uid from registry.odd_key`);
  await site.apply(
    configuration({
      person: {
        view: 'registry.person',
        sources: {
          'registry.person': { key: 'id', columns: ['uid', 'profile'] },
          'registry.shared': { key: 'person_id', columns: ['a'] },
          'registry.typed': { key: 'id', columns: values.map((_, index) => `c${index}`) },
        },
      },
      thing: { view: 'registry.shared', sources: { 'registry.shared': { key: 'id', columns: ['b'] } } },
      login: { view: 'registry.v_uid', key: 'uid', sources: { 'registry.odd_key': 'uid' } },
    }),
  );
  await site.query(`insert into registry.person values (1, 'ada', '{"a":1}')`);
  await site.query('insert into registry.shared values (5, 1, 1, 1)');
  await site.query('insert into registry.typed (id) values (1)');
  await site.query(`insert into registry.odd_key values (1, 'ada')`);
  await site.events();
});
afterAll(() => site.close());

async function recorded(statement: string): Promise<string[]> {
  await site.query(statement);
  return (await site.events()).sort();
}

describe('with `columns:`', () => {
  test.each([
    ['an update of another column is nothing', 'update registry.person set seen = now()', []],
    [
      'an update to what is there already is nothing',
      `update registry.person set uid = 'ada', profile = '{"a":1}'`,
      [],
    ],
    ['an update of one of them', `update registry.person set uid = 'eve'`, ['U registry.person 1']],
    ['one whose type has no equality', `update registry.person set profile = '{"a": 1}'`, ['U registry.person 1']],
    [
      'a change of key, though the key is not among them',
      'update registry.person set id = 2',
      ['U registry.person 1', 'U registry.person 2'],
    ],
    ['an insert', `insert into registry.person (id) values (3)`, ['I registry.person 3']],
    ['a delete', 'delete from registry.person where id = 3', ['D registry.person 3']],
    ['a truncate', 'truncate registry.person', ['R registry.person']],
  ])('%s', async (_, statement, events) => {
    expect(await recorded(statement)).toEqual(events);
  });

  test('of two entities in one table, what either of them watches is recorded', async () => {
    expect(await recorded('update registry.shared set a = 2')).toEqual(['U registry.shared 1,5']);
    expect(await recorded('update registry.shared set b = 2')).toEqual(['U registry.shared 1,5']);
    expect(await recorded('update registry.shared set b = 2')).toEqual([]);
  });

  test.each(values.map(([name, , from, to], index) => [name, `c${index}`, from, to]))(
    'every change of value counts: %s',
    async (_, column, from, to) => {
      expect(await recorded(`update registry.typed set ${column} = ${from}`)).toEqual(
        from === 'null' ? [] : ['U registry.typed 1'],
      );
      expect(await recorded(`update registry.typed set ${column} = ${to}`)).toEqual(['U registry.typed 1']);
      expect(await recorded(`update registry.typed set unwatched = 1, ${column} = ${column}`)).toEqual([]);
    },
  );
});

test('a key that changes to one its collation takes for the same is recorded, old and new', async () => {
  expect(await recorded(`update registry.odd_key set uid = 'Ada'`)).toEqual([
    'U registry.odd_key Ada',
    'U registry.odd_key ada',
  ]);
});
