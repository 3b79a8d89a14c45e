/** What happens to a source under our feet. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configuration, createSite, type Site } from '../apply/site.ts';

const table = 'create table registry.person (id bigint primary key, uid text, note text)';
const view = 'create view registry.v_person as select 1::bigint as id'; // no matter what becomes of the table
const every = configuration({ person: { view: 'registry.v_person', sources: { 'registry.person': 'id' } } });
const some = configuration({
  person: { view: 'registry.v_person', sources: { 'registry.person': { key: 'id', columns: ['uid'] } } },
});

let site: Site;
beforeAll(async () => {
  site = await createSite(`${view}; ${table}`);
});
afterAll(() => site.close());
afterEach(async () => {
  await site.query('drop table if exists registry.person cascade');
  await site.make(table);
});

const writes: [string, string][] = [
  ['insert', 'insert into registry.person select 2'],
  ['update', `update registry.person set uid = coalesce(uid, '') || 'x'`],
  ['delete', 'delete from registry.person'],
];

async function captured(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [what, statement] of writes) {
    await site.query(statement);
    found[what] = await site.events();
  }
  return found;
}

const lost = ['R registry.person'];

describe.each([
  ['every column', every],
  ['some columns', some],
])('of %s', (_, config) => {
  test('a captured column that is renamed: every write succeeds and owes a rescan, until apply is run', async () => {
    await site.apply(config);
    await site.query('insert into registry.person values (1)');
    await site.events();
    await site.query('alter table registry.person rename id to number');
    const found = await captured();
    expect(found).toMatchObject({ insert: lost, delete: lost });
    expect(new Set(found.update)).toEqual(new Set(lost));

    await site.query('alter table registry.person rename number to id');
    expect(await site.apply(config)).toMatchObject({ captured: [] });
    await site.query('insert into registry.person values (1)');
    expect(await site.events()).toEqual(['I registry.person 1']);
  });

  test('a captured column that is dropped: every write succeeds and owes a rescan', async () => {
    await site.apply(config);
    await site.query('alter table registry.person drop column id cascade; insert into registry.person values (null)');
    expect(await site.events()).toEqual(lost);
    expect((await captured()).delete).toEqual(lost);
  });

  test('a table that is dropped and made again is captured again by the next apply', async () => {
    await site.apply(config);
    await site.query('drop table registry.person');
    await site.make(table);
    await site.query('insert into registry.person values (1)');
    expect(await site.events()).toEqual([]);
    expect(await site.apply(config)).toMatchObject({
      captured: ['registry.person'],
      routes: [{ entity: 'person', reason: 'changed' }],
    });
    await site.query('insert into registry.person values (2)');
    expect(await site.events()).toEqual(['I registry.person 2']);
  });

  test.each(['staffetta_i', 'staffetta_u', 'staffetta_k', 'staffetta_d', 'staffetta_t'])(
    'the trigger %s, disabled or dropped, is put right by the next apply',
    async (trigger) => {
      await site.apply(config);
      expect(await site.apply(config)).toMatchObject({ captured: [], routes: [] });
      if (config === some && trigger === 'staffetta_k') return; // one row trigger does both
      for (const harm of [
        `alter table registry.person disable trigger ${trigger}`,
        `alter table registry.person enable replica trigger ${trigger}`,
        `drop trigger ${trigger} on registry.person`,
      ]) {
        await site.query(harm);
        expect(await site.apply(config)).toMatchObject({
          captured: ['registry.person'],
          routes: [{ entity: 'person', reason: 'changed' }],
        });
      }
      await site.query('insert into registry.person values (1)');
      await site.query('update registry.person set id = 3');
      await site.query('truncate registry.person');
      const events = await site.events();
      expect(events.sort()).toEqual(
        ['I', 'U', 'U', 'R']
          .sort()
          .map(
            (op, index) => `${op} registry.person${['1', '', '1', '3'][index] ? ` ${['1', '', '1', '3'][index]}` : ''}`,
          ),
      );
    },
  );
});

test('a column added or its type changed leaves capture as it is', async () => {
  await site.apply(every);
  await site.query('alter table registry.person add column more json, alter column uid type varchar(20)');
  await site.query('insert into registry.person values (1)');
  expect(await site.events()).toEqual(['I registry.person 1']);
});

test('a table that is renamed is told of by its new name, and both are told apart', async () => {
  await site.apply(every);
  await site.query('alter table registry.person rename to people');
  await site.make(table);
  await site.apply(every);
  await site.query('insert into registry.person values (1); insert into registry.people values (2)');
  expect(await site.events()).toEqual(['I registry.person 1']);
  await site.query('drop table registry.people');
});

test('the type of a captured column is changed as the documentation says', async () => {
  await site.apply(every);
  const change = 'alter table registry.person alter column id type int';
  await expect(site.query(change)).rejects.toThrow('cannot alter type of a column used in a trigger definition');
  const without = configuration({ person: { view: 'registry.v_person', sources: {} } });
  expect(await site.apply(without)).toMatchObject({ released: ['registry.person'] });
  await site.query(change);
  expect(await site.apply(every)).toMatchObject({
    captured: ['registry.person'],
    routes: [{ entity: 'person', reason: 'changed' }],
  });
});
