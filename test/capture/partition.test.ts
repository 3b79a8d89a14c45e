import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configuration, createSite, type Site } from '../apply/site.ts';

let site: Site;
const config = configuration({
  person: { view: 'registry.person', sources: { 'registry.person': { key: 'id', columns: ['uid'] } } },
});
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint, uid text, primary key (id)) partition by range (id);
    create table registry.person_low partition of registry.person for values from (0) to (100);
    create table registry.person_high partition of registry.person for values from (100) to (1000) partition by range (id);
    create table registry.person_middle partition of registry.person_high for values from (100) to (500)`);
  await site.apply(config);
});
afterAll(() => site.close());
beforeEach(async () => {
  await site.query('truncate registry.person');
  await site.query(`insert into registry.person values (1, 'ada'), (101, 'bob')`);
  await site.events();
});

async function recorded(statement: string): Promise<string[]> {
  await site.query(statement);
  return (await site.events()).sort();
}

describe('a partitioned table is captured', () => {
  test.each([
    [
      'written as a whole',
      `insert into registry.person values (2, 'x'), (102, 'y')`,
      ['I registry.person 102', 'I registry.person 2'],
    ],
    ['written to in a partition', `insert into registry.person_low values (2, 'x')`, ['I registry.person 2']],
    ['or one with partitions of its own', `update registry.person_high set uid = 'x'`, ['U registry.person 101']],
    ['deleted from in a partition', 'delete from registry.person_middle', ['D registry.person 101']],
    [
      'where a key changes',
      'update registry.person set id = 3 where id = 1',
      ['U registry.person 1', 'U registry.person 3'],
    ],
    [
      'where a row moves to another partition',
      'update registry.person set id = 103 where id = 1',
      ['U registry.person 1', 'U registry.person 103'],
    ],
    ['truncated in a partition', 'truncate registry.person_middle', ['R registry.person']],
  ])('%s', async (_, statement, events) => {
    expect(await recorded(statement)).toEqual(events);
  });

  test('a partition that is new, once apply is run; and then no more is to do', async () => {
    expect(await site.apply(config)).toMatchObject({ captured: [] });
    await site.make(
      'create table registry.person_top partition of registry.person_high for values from (500) to (1000)',
    );
    expect(await recorded(`insert into registry.person values (501, 'x')`)).toEqual(['I registry.person 501']);
    expect(await site.apply(config)).toMatchObject({ captured: ['registry.person'] });
    expect(await recorded(`insert into registry.person_top values (502, 'y')`)).toEqual(['I registry.person 502']);
    expect(await site.apply(config)).toMatchObject({ captured: [] });
  });
});

describe('what happens outside the triggers is found by the rescan', () => {
  /** The keys that a rescan makes due. */
  const rescanned = async () => {
    await site.query('delete from staffetta.delivery');
    await site.query('select * from staffetta.rescan()');
    const rows = await site.query<{ key: string }>('select key from staffetta.delivery order by length(key), key');
    return rows.map(({ key }) => key);
  };
  /** What a settle would have left for those who are there now: whatever differs then is news. */
  const link = () =>
    site.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes, fingerprint)
       select 'directory', 'person', key::text, remote_id, '{}', fingerprint from staffetta.desired_directory_person
       on conflict (target, entity, key) do update set fingerprint = excluded.fingerprint`,
    );

  test('rows written directly to a partition that apply has not seen', async () => {
    await link();
    expect(await rescanned()).toEqual([]);
    await site.make('create table registry.person_new partition of registry.person for values from (1000) to (1100)');
    expect(await recorded(`insert into registry.person_new values (1001, 'x')`)).toEqual([]);
    expect(await rescanned()).toEqual(['1001']);
    await site.apply(config);
    expect(await recorded(`update registry.person_new set uid = 'y'`)).toEqual(['U registry.person 1001']);
  });

  test('rows that came or went with ATTACH and DETACH; the triggers of a detached table are harmless and go with the next apply', async () => {
    await site.query(`alter table registry.person_new rename to person_guest`);
    await site.apply(config);
    await site.query(`insert into registry.person values (1001, 'x')`);
    await site.events();
    await link();
    expect(await recorded('alter table registry.person detach partition registry.person_guest')).toEqual([]);
    await site.query(`update staffetta.route set deprovision = '[{"do": "delete", "after": 0}]'`);
    expect(await rescanned()).toEqual(['1001']);
    // A replay of 1001 finds that it is not in the view, which is true.
    expect(await recorded(`update registry.person_guest set uid = 'z'`)).toEqual(['U registry.person 1001']);
    expect(await site.apply(config)).toMatchObject({ captured: ['registry.person'] });
    expect(await recorded(`update registry.person_guest set uid = 'z'`)).toEqual([]);

    await site.query(`delete from staffetta.link where key = '1001'`);
    const attach = 'attach partition registry.person_guest for values from (1000) to (1100)';
    expect(await recorded(`alter table registry.person ${attach}`)).toEqual([]);
    expect(await rescanned()).toEqual(['1001']);
    expect(await site.apply(config)).toMatchObject({ captured: ['registry.person'] });
    expect(await recorded(`update registry.person_guest set uid = 'a'`)).toEqual(['U registry.person 1001']);
  });

  test('a partition that is attached again before an apply keeps the triggers it had', async () => {
    await site.query('alter table registry.person detach partition registry.person_guest');
    await site.query(
      'alter table registry.person attach partition registry.person_guest for values from (1000) to (1100)',
    );
    expect(await recorded(`insert into registry.person_guest values (1002, 'x')`)).toEqual(['I registry.person 1002']);
    expect(await site.apply(config)).toMatchObject({ captured: [] });
  });
});

test('a trigger that is missing on a partition is made again by the next apply', async () => {
  await site.query('alter table registry.person_low disable trigger staffetta_i');
  expect(await recorded(`insert into registry.person_low values (2, 'x')`)).toEqual([]);
  expect(await site.apply(config)).toMatchObject({ captured: ['registry.person'] });
  expect(await recorded(`insert into registry.person_low values (3, 'x')`)).toEqual(['I registry.person 3']);
});

test('a table and one of its partitions are not captured both', async () => {
  const sources = { 'registry.person': 'id', 'registry.person_low': 'id' };
  await expect(site.apply(configuration({ person: { view: 'registry.person', sources } }))).rejects.toThrow(
    'entities.person.sources["registry.person_low"]: registry.person_low is a partition of registry.person, which is captured with all its partitions; expected one of the two',
  );
});

test('the right to attach triggers is needed on each partition, and told of', async () => {
  await site.query(`revoke trigger on registry.person_low from ${site.owner.name}`);
  await expect(site.apply(config)).rejects.toThrow(
    `no right to attach triggers to registry.person_low; run: grant trigger on registry.person_low to ${site.owner.name}`,
  );
});
