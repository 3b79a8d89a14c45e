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

test('the right to attach triggers is needed on each partition, and told of', async () => {
  await site.query(`revoke trigger on registry.person_low from ${site.owner.name}`);
  await expect(site.apply(config)).rejects.toThrow(
    `no right to attach triggers to registry.person_low; run: grant trigger on registry.person_low to ${site.owner.name}`,
  );
});
