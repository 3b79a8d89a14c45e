/** `capture: row` and `capture: row, always`. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bellChannel, parkedLock } from '../../src/capture/trigger.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';

let site: Site;
let replica: pg.Client;
const config = (capture: unknown = 'row, always') =>
  configuration({
    person: {
      view: 'registry.person',
      sources: {
        'registry.person': { key: 'id', capture },
        'registry.email': { key: 'person_id', capture: 'row', columns: ['address'] },
        'registry.visit': { key: 'person_id', columns: ['room'], capture },
        'registry.note': 'person_id',
      },
    },
  });
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create table registry.email (person_id bigint, address text, seen int);
    create table registry.note (person_id bigint, body text);
    create table registry.visit (person_id bigint, room text, seen int) partition by range (person_id);
    create table registry.visit_low partition of registry.visit for values from (0) to (100);
    create table registry.visit_high partition of registry.visit for values from (100) to (200)`);
  await ownTables();
  await site.apply(config());
  replica = await site.connect();
  await replica.query('set session_replication_role = replica');
});
afterAll(() => site.close());
beforeEach(async () => {
  await site.query('truncate registry.person, registry.email, registry.note, registry.visit');
  await site.query(`insert into registry.person values (1, 'ada'), (2, 'bob')`);
  await site.query(`insert into registry.email values (1, 'ada@x', 0)`);
  await site.query(`insert into registry.note values (1, 'x')`);
  await site.query(`insert into registry.visit values (1, 'a', 0), (101, 'b', 0)`);
  await site.events();
});

/** The role that runs `apply` owns the tables, as `always` needs it. */
async function ownTables(): Promise<void> {
  for (const table of ['person', 'visit', 'visit_low', 'visit_high'])
    await site.query(`alter table registry.${table} owner to ${site.owner.name}`);
}

async function recorded(statement: string, client?: pg.Client): Promise<string[]> {
  await (client ? client.query(statement) : site.query(statement));
  return (await site.events()).sort();
}

const person = (...said: string[]) => said.map((each) => each.replace(' ', ' registry.person '));
const changes: readonly [name: string, statement: string, events: string[]][] = [
  ['insert', `insert into registry.person values (3, 'cid'), (4, 'dan')`, person('I 3', 'I 4')],
  ['update', `update registry.person set uid = 'x'`, person('U 1', 'U 2')],
  ['a change of key: the old and the new', 'update registry.person set id = 42 where id = 1', person('U 1', 'U 42')],
  ['delete', 'delete from registry.person', person('D 1', 'D 2')],
  ['truncate', 'truncate registry.person', ['R registry.person']],
  [
    'insert … on conflict do update',
    `insert into registry.person values (2, 'rob'), (3, 'cid') on conflict (id) do update set uid = excluded.uid`,
    person('I 3', 'U 2'),
  ],
  ['a statement that changes no row', 'delete from registry.person where id = 99', []],
];

describe('row by row, each row that changes is one event with its key', () => {
  test.each(changes)('%s', async (_, statement, events) => {
    expect(await recorded(statement)).toEqual(events);
  });

  test('and with `columns:`, an update of other columns is none', async () => {
    expect(await recorded('update registry.email set seen = 1')).toEqual([]);
    expect(await recorded(`update registry.email set address = 'ada@y'`)).toEqual(['U registry.email 1']);
    expect(await recorded('update registry.email set person_id = 7')).toEqual([
      'U registry.email 1',
      'U registry.email 7',
    ]);
  });
});

describe('always: also in sessions that replicate', () => {
  test.each(changes)('%s', async (_, statement, events) => {
    expect(await recorded(statement, replica)).toEqual(events);
  });

  test('but not where only `row` or `statement` was asked for', async () => {
    expect(
      await recorded(`insert into registry.email values (9, 'x'); insert into registry.note values (9)`, replica),
    ).toEqual([]);
  });

  test('what cannot be read is a rescan, and no error of the application', async () => {
    await site.query('alter table registry.person rename id to number');
    expect(await recorded(`update registry.person set uid = 'x' where number = 1`, replica)).toEqual([
      'R registry.person',
    ]);
    await site.query('alter table registry.person rename number to id');
  });

  test('rings for a parked drainer, and for no other', async () => {
    const [listener, parked] = [await site.connect(), await site.connect()];
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));
    await listener.query(`listen ${bellChannel}`);
    await replica.query(`update registry.person set uid = 'y'`);
    await listener.query('select 1');
    expect(heard).toEqual([]);
    await parked.query('select pg_advisory_lock($1)', [parkedLock]);
    await replica.query(`update registry.person set uid = 'z'`);
    await listener.query('select 1');
    expect(heard).toEqual(['']);
    await parked.query('select pg_advisory_unlock($1)', [parkedLock]);
  });

  test('a trigger that was set to fire in other sessions only is mended by the next apply', async () => {
    expect(await site.apply(config())).toMatchObject({ captured: [] });
    await site.query('alter table registry.person enable trigger staffetta_d');
    expect(await recorded('delete from registry.person where id = 2', replica)).toEqual([]);
    expect(await site.apply(config())).toMatchObject({ captured: ['registry.person'] });
    await site.query('alter table registry.visit_low disable trigger staffetta_t');
    expect(await site.apply(config())).toMatchObject({ captured: ['registry.visit'] });
    await site.events();
    expect(await recorded('delete from registry.person where id = 1', replica)).toEqual(person('D 1'));
  });
});

describe('a partitioned table', () => {
  test.each([
    [
      'written as a whole',
      `insert into registry.visit values (2, 'x'), (102, 'y')`,
      ['I registry.visit 102', 'I registry.visit 2'],
    ],
    ['written to in a partition', `insert into registry.visit_low values (2, 'x')`, ['I registry.visit 2']],
    ['an update of other columns', 'update registry.visit set seen = 1', []],
    ['an update', `update registry.visit set room = 'x' where person_id = 1`, ['U registry.visit 1']],
    [
      'where a row moves to another partition',
      'update registry.visit set person_id = 103 where person_id = 1',
      ['D registry.visit 1', 'I registry.visit 103'],
    ],
    ['truncated in a partition', 'truncate registry.visit_low', ['R registry.visit']],
  ])('%s', async (_, statement, events) => {
    expect(await recorded(statement)).toEqual(events);
    await site.query('truncate registry.visit');
    await site.query(`insert into registry.visit values (1, 'a', 0), (101, 'b', 0)`);
    await site.events();
    expect(await recorded(statement, replica)).toEqual(events);
  });

  test('captures a new partition, and one that is attached, from its first row on', async () => {
    // Made by the owner of the table, who has no other right on anything of ours.
    const application = await site.database.createRole();
    await site.query(`grant usage, create on schema registry to ${application.name}`);
    await site.query(`grant ${application.name} to ${site.owner.name}`);
    for (const table of ['visit', 'visit_low', 'visit_high'])
      await site.query(`alter table registry.${table} owner to ${application.name}`);
    await site.apply(config());
    await site.events();
    const owner = await site.connect(application.url);
    await owner.query(`create table registry.visit_top partition of registry.visit for values from (200) to (300)`);
    await owner.query(`create table registry.visit_old (like registry.visit)`);
    await owner.query(`alter table registry.visit attach partition registry.visit_old for values from (300) to (400)`);
    for (const session of [undefined, replica]) {
      expect(await recorded(`insert into registry.visit_top values (201, 'x')`, session)).toEqual([
        'I registry.visit 201',
      ]);
      expect(await recorded(`update registry.visit_top set room = room || 'y'`, session)).not.toEqual([]);
      expect(await recorded(`insert into registry.visit_old values (301, 'x')`, session)).toEqual([
        'I registry.visit 301',
      ]);
    }
    // Only a truncate of the partition alone waits for the next apply.
    expect(await recorded('truncate registry.visit_top')).toEqual([]);
    expect(await site.apply(config())).toMatchObject({ captured: ['registry.visit'] });
    expect(await site.apply(config())).toMatchObject({ captured: [] });
    expect(await recorded('truncate registry.visit_top')).toEqual(['R registry.visit']);
    await owner.query('alter table registry.visit detach partition registry.visit_old');
    expect(await recorded(`insert into registry.visit_old values (302, 'x')`)).toEqual([]);
  });
});

describe('the owner of the tables', () => {
  test('has to be, or include, the role that runs apply, for `always`; and is told so', async () => {
    const belongTo = async (table: string, role: string) => {
      await site.query(`alter table registry.${table} owner to ${role}`);
      await site.make('select'); // grants the rights anew that its owner had by itself
    };
    await belongTo('person', 'postgres');
    await expect(site.apply(config())).rejects.toThrow(
      `entities.person.sources["registry.person"].capture: only the owner of registry.person may have its triggers fire always; run: grant postgres to ${site.owner.name}`,
    );
    await belongTo('visit_high', 'postgres');
    await belongTo('person', site.owner.name);
    await expect(site.apply(config())).rejects.toThrow('only the owner of registry.visit_high may');
    await expect(site.apply(config('row'))).resolves.toMatchObject({
      captured: ['registry.person', 'registry.visit'],
    });
    await ownTables();
    // The list means the same as the text.
    await expect(site.apply(config(['row', 'always']))).resolves.toMatchObject({
      captured: ['registry.person', 'registry.visit'],
    });
    await expect(site.apply(config())).resolves.toMatchObject({ captured: [] });
  });
});
