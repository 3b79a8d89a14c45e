import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configuration, createSite, type Site } from '../apply/site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create table registry.email (
      person_id bigint references registry.person on delete cascade on update cascade, address text, primary key (person_id, address));
    create table registry.team (id int generated always as identity primary key, name text, code text generated always as ('T-' || name) stored);
    create table registry.career (person_id bigint, course text, code int);
    create view registry.v_person as select * from registry.person`);
  await site.apply(
    configuration({
      person: {
        view: 'registry.v_person',
        sources: {
          'registry.person': 'person.id',
          'registry.email': 'person_id',
          'registry.team': { key: 'code', resolve: "select 1::bigint where 'T-x' = any($1)" },
          'registry.career': 'coalesce(person_id, code)',
        },
      },
      team: { view: 'registry.team', sources: { 'registry.team': 'id' } },
    }),
  );
});
afterAll(() => site.close());
beforeEach(async () => {
  await site.query('truncate registry.person, registry.email, registry.team, registry.career restart identity');
  await site.query(`insert into registry.person values (1, 'ada'), (2, 'bob')`);
  await site.query(`insert into registry.email values (1, 'ada@x'), (1, 'ada@y'), (2, 'bob@x')`);
  await site.events();
});

/** What a statement, run by itself, leaves in the queue. */
async function recorded(statement: string): Promise<string[]> {
  await site.query(statement);
  return (await site.events()).sort();
}

describe('each row that changes is one event with its key', () => {
  test.each([
    [
      'insert',
      `insert into registry.person values (3, 'cid'), (4, 'dan')`,
      ['I registry.person 3', 'I registry.person 4'],
    ],
    ['update', `update registry.person set uid = upper(uid)`, ['U registry.person 1', 'U registry.person 2']],
    ['delete', 'delete from registry.email where person_id = 1', ['D registry.email 1', 'D registry.email 1']],
    ['truncate', 'truncate registry.email', ['R registry.email']],
    ['truncate … cascade', 'truncate registry.person cascade', ['R registry.email', 'R registry.person']],
    [
      'copy',
      String.raw`copy registry.person from program 'printf "7\tgil\n8\thal\n"'`,
      ['I registry.person 7', 'I registry.person 8'],
    ],
    [
      'insert … on conflict do update',
      `insert into registry.person values (2, 'rob'), (3, 'cid') on conflict (id) do update set uid = excluded.uid`,
      ['I registry.person 3', 'U registry.person 2'],
    ],
    ['insert … on conflict do nothing', `insert into registry.person values (2, 'rob') on conflict do nothing`, []],
    [
      'merge',
      `merge into registry.person p using (values (1::bigint, 'x'), (2, null), (3, 'cid')) as v(id, uid) on p.id = v.id
       when matched and v.uid is null then delete
       when matched then update set uid = v.uid
       when not matched then insert values (v.id, v.uid)`,
      ['D registry.email 2', 'D registry.person 2', 'I registry.person 3', 'U registry.person 1'],
    ],
    [
      'a data-modifying query',
      `with gone as (delete from registry.email where person_id = 2 returning 9 as id) insert into registry.person select id from gone`,
      ['D registry.email 2', 'I registry.person 9'],
    ],
    [
      'a delete that cascades',
      'delete from registry.person where id = 1',
      ['D registry.email 1', 'D registry.email 1', 'D registry.person 1'],
    ],
    [
      'a change of key: the old and the new, where it cascades too',
      'update registry.person set id = 42 where id = 1',
      ['1', '1', '42', '42']
        .map((id) => `U registry.email ${id}`)
        .concat('U registry.person 1', 'U registry.person 42'),
    ],
    ['a statement that changes no row', 'update registry.person set uid = null where id = 99', []],
  ])('%s', async (_, statement, events) => {
    expect(await recorded(statement)).toEqual(events);
  });

  test('of a column that PostgreSQL computes, and one table for two entities', async () => {
    expect(await recorded(`insert into registry.team (name) values ('x')`)).toEqual(['I registry.team T-x,1']);
    expect(await recorded(`update registry.team set name = 'y'`)).toEqual([
      'U registry.team T-x,1',
      'U registry.team T-y,1',
    ]);
  });

  test('with every column that the key expression reads', async () => {
    expect(await recorded(`insert into registry.career values (null, 'Law', 8)`)).toEqual(['I registry.career null,8']);
    expect(await recorded(`update registry.career set person_id = 7`)).toEqual([
      'U registry.career 7,8',
      'U registry.career null,8',
    ]);
  });
});

test('what is rolled back leaves no event, a savepoint nor a whole transaction', async () => {
  const client = await site.connect();
  await client.query(`begin; update registry.person set uid = 'x' where id = 1; rollback`);
  await client.query(
    `begin; update registry.person set uid = 'x' where id = 1; savepoint s; update registry.person set uid = 'x' where id = 2;
     rollback to savepoint s; commit`,
  );
  expect(await site.events()).toEqual(['U registry.person 1']);
});

test('who did it, in which transaction, and when', async () => {
  const role = await site.database.createRole();
  await site.query(`grant usage on schema registry to ${role.name}`);
  await site.query(`grant select, update on registry.person to ${role.name}`);
  const client = await site.connect(role.url);
  const run = async (setting: string) => {
    await client.query('begin');
    await client.query(setting);
    await client.query(`savepoint s; update registry.person set uid = 'x' where id = 1; release s`);
    const { rows } = await client.query('select pg_current_xact_id()::text as xid, now() as began');
    await client.query('commit');
    const [event] = await site.query(
      'delete from staffetta.event returning actor, xid::text, at >= $1 and at <= clock_timestamp() as timely',
      [rows[0].began],
    );
    return { event, xid: rows[0].xid };
  };
  const plain = await run(`set local staffetta.actor = ''`);
  expect(plain.event).toEqual({ actor: role.name, xid: plain.xid, timely: true });
  const named = await run(`set local staffetta.actor = 'Carla Neri'`);
  expect(named.event).toEqual({ actor: 'Carla Neri', xid: named.xid, timely: true });
});

test('serializable writers of different rows do not fail because of capture', async () => {
  const writers = await Promise.all(Array.from({ length: 6 }, () => site.connect()));
  await site.query(`insert into registry.person select n, 'p' || n from generate_series(100, 105) n`);
  await site.events();
  for (let round = 0; round < 5; round++) {
    for (const writer of writers) await writer.query('begin isolation level serializable');
    for (const [index, writer] of writers.entries())
      await writer.query('update registry.person set uid = $2 where id = $1', [100 + index, `r${round}`]);
    await Promise.all(writers.map((writer) => writer.query('commit')));
  }
  expect(await site.events()).toHaveLength(30);
});

test('sessions that replicate are not captured, as the documentation says', async () => {
  const client = await site.connect();
  await client.query(`set session_replication_role = replica; update registry.person set uid = 'x'`);
  expect(await site.events()).toEqual([]);
});
