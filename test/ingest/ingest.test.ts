import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaults, readParameters } from '../../src/database/parameters.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { createIngester, type Ingester } from './ingester.ts';

let site: Site;
let ingester: Ingester;
const config = configuration(
  {
    person: {
      view: 'registry.person',
      sources: {
        'registry.person': 'id',
        'registry.email': 'person_id',
        'registry.department': {
          key: 'id',
          resolve: 'select person_id from registry.career where department_id = any($1)',
        },
      },
    },
    team: { view: 'registry.team', sources: { 'registry.team': 'id' } },
  },
  ['badge', 'directory'],
);
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create table registry.email (person_id bigint, address text);
    create table registry.team (id int primary key, name text);
    create table registry.department (id text primary key, name text);
    create table registry.career (person_id numeric, department_id text)`);
  await site.apply(config);
  ingester = await createIngester(site, ['person', 'team']);
});
afterAll(async () => {
  ingester.client.release(true);
  await site.close();
});
beforeEach(async () => {
  await site.query('truncate registry.person, registry.email, registry.team, registry.department, registry.career');
  await site.query('truncate staffetta.event, staffetta.delivery, staffetta.event_failed, staffetta.reference');
  await site.query('update staffetta.route set rescan = 0');
  await site.query(`update staffetta.parameter set number = 3 where code = 'BULK_ROWS'`);
});

/** The deliveries of one of the targets, as `person 1`. */
async function owed(target = 'directory'): Promise<string[]> {
  const rows = await site.query<{ said: string }>(
    `select entity || ' ' || key as said from staffetta.delivery where target = $1 order by entity, length(key), key`,
    [target],
  );
  return rows.map(({ said }) => said);
}

async function delivery(key: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await site.query(
    `select rev, state, priority, attempts, events, first_cause, first_actor, last_cause, last_actor, last_xid::text,
       last_at > first_at as later, due_at <= clock_timestamp() as due, token
     from staffetta.delivery where target = 'directory' and key = $1`,
    [key],
  );
  return row;
}

const rescans = async () =>
  (await site.query(`select target, entity, rescan from staffetta.route order by 1, 2`)).map(
    ({ target, entity, rescan }) => `${target} ${entity} ${rescan}`,
  );

describe('events become deliveries', () => {
  test('one for each target and key, however many events, with the first and the last cause', async () => {
    const client = await site.connect();
    await client.query(`set staffetta.actor = 'ada'; insert into registry.person values (1, 'a')`);
    await client.query(`set staffetta.actor = 'bob'; insert into registry.email values (1, 'a@x'), (1, 'b@x')`);
    await client.query(`begin; set local staffetta.actor = 'cid'; update registry.person set uid = 'b'`);
    const { rows } = await client.query('select pg_current_xact_id()::text as xid');
    await client.query('commit');

    const { events, targets, rescans: none } = await ingester.drain();
    expect({ events, targets: [...targets].sort(), none }).toEqual({
      events: 4,
      targets: ['badge', 'directory'],
      none: false,
    });
    expect(await delivery('1')).toEqual({
      rev: '1',
      state: 'pending',
      priority: 0,
      attempts: 0,
      events: 4,
      first_cause: 'insert registry.person',
      first_actor: 'ada',
      last_cause: 'update registry.person',
      last_actor: 'cid',
      last_xid: rows[0].xid,
      later: true,
      due: true,
      token: null,
    });
    expect(await owed('badge')).toEqual(['person 1']);
    expect(await site.events()).toEqual([]);
    expect((await ingester.drain()).events).toBe(0);
  });

  test('the keys that a resolve query finds at ingest, in canonical form, and each entity by its own sources', async () => {
    await site.query(`insert into registry.career values (7.00, 'law'), (8, 'law'), (9, 'art'), (null, 'law')`);
    await site.query(`insert into registry.department values ('law', 'Law')`);
    await site.query(`insert into registry.team values (3, 'x')`);
    await ingester.drain();
    expect(await owed()).toEqual(['person 7', 'person 8', 'team 3']);
  });

  test('a row without a key is nobody', async () => {
    await site.query(`insert into registry.email values (null, 'nobody@x')`);
    expect((await ingester.drain()).events).toBe(1);
    expect(await owed()).toEqual([]);
  });

  test('a truncate owes a rescan of its entity to every target, and nothing to others', async () => {
    await site.query('truncate registry.email');
    expect((await ingester.drain()).rescans).toBe(true);
    expect(await rescans()).toEqual(['badge person 1', 'badge team 0', 'directory person 1', 'directory team 0']);
    await site.query('truncate registry.email');
    await site.query('truncate registry.team');
    await ingester.drain();
    expect(await rescans()).toEqual(['badge person 2', 'badge team 1', 'directory person 2', 'directory team 1']);
  });
});

describe('a delivery that is there already', () => {
  const change = `insert into registry.person values (1, 'a') on conflict (id) do update set uid = registry.person.uid || 'a'`;
  const set = (what: string) => site.query(`update staffetta.delivery set ${what}`);
  const again = async (what: string) => {
    await site.query(change);
    await ingester.drain();
    await set(what);
    await site.query(change);
    await ingester.drain();
    return delivery('1');
  };

  test('gets a new rev, keeps its first cause and its claim', async () => {
    const token = '00000000-0000-4000-8000-000000000000';
    expect(
      await again(
        `token = '${token}', claimed_rev = rev, lease_until = clock_timestamp() + interval '1 minute', first_cause = 'x'`,
      ),
    ).toMatchObject({ rev: '2', events: 2, token, first_cause: 'x', last_cause: 'update registry.person' });
  });

  test.each([
    ['held', `state = 'held'`, { state: 'pending', due: true }],
    [
      'parked, however often it was tried',
      `state = 'parked', attempts = 7`,
      { state: 'pending', due: true, attempts: 0 },
    ],
    ['due later and not tried yet', `due_at = clock_timestamp() + interval '1 hour'`, { due: true }],
    [
      'tried before: it keeps its pause',
      `due_at = clock_timestamp() + interval '1 hour', attempts = 1`,
      { due: false, attempts: 1 },
    ],
    [
      'waiting for another, not tried yet',
      `state = 'waiting', due_at = clock_timestamp() + interval '1 hour'`,
      { due: true },
    ],
    ['bulk', 'priority = 1', { priority: 0 }],
  ])('%s', async (_, before, after) => {
    expect(await again(before)).toMatchObject(after);
  });

  test.each([
    ['held', `state = 'held'`],
    ['parked', `state = 'parked', attempts = 3`],
    ['bulk', 'priority = 1'],
  ])('%s before, it is due from now on, where whoever claims looks', async (_, before) => {
    await again(`due_at = '2026-01-01', ${before}`);
    expect(
      await site.query(
        `select distinct due_at > clock_timestamp() - interval '1 minute' as now from staffetta.delivery`,
      ),
    ).toEqual([{ now: true }]);
  });

  test('an earlier due time is kept, so that nobody loses his turn', async () => {
    await again(`due_at = '2026-01-01'`);
    expect(await site.query(`select distinct due_at from staffetta.delivery`)).toEqual([
      { due_at: new Date('2026-01-01T00:00:00Z') },
    ]);
  });
});

describe('a transaction that changes more rows than the threshold is bulk', () => {
  test('in one statement, and in many', async () => {
    await site.query(`insert into registry.person select generate_series(1, 4)`);
    const client = await site.connect();
    await client.query('begin');
    for (let id = 11; id <= 14; id++) await client.query('insert into registry.person values ($1)', [id]);
    await client.query('commit');
    await site.query(`insert into registry.person select generate_series(21, 23)`);
    await ingester.drain();
    expect(
      await site.query(
        `select priority, array_agg(key order by key::int) as keys from staffetta.delivery where target = 'badge' group by 1 order by 1`,
      ),
    ).toEqual([
      { priority: 0, keys: ['21', '22', '23'] },
      { priority: 1, keys: ['1', '2', '3', '4', '11', '12', '13', '14'] },
    ]);
  });

  test.each([1, 2, 3, 5, 7, 100])('wherever a batch of %i ends', async (INGEST_BATCH) => {
    const sizes = [4, 3, 4, 9, 8, 3, 4];
    for (const [index, size] of sizes.entries())
      await site.query(`insert into registry.person select 10 * ${index} + generate_series(1, ${size})`);
    await ingester.ingest.drain(ingester.client, { ...(await readParameters(ingester.client)), INGEST_BATCH });
    const found = await site.query(
      `select count(*)::int as size, priority from staffetta.delivery where target = 'badge' group by key::int / 10, priority order by key::int / 10`,
    );
    expect(found).toEqual(sizes.map((size) => ({ size, priority: size > 3 ? 1 : 0 })));
  });

  test('in one row that stands for many, but not for who changes by himself too', async () => {
    await site.query(
      `insert into registry.career select n, case when n <= 3 then 'art' when n <= 5 then 'law' else 'maths' end from generate_series(1, 7) n`,
    );
    await site.query(`insert into registry.department values ('art', 'Art')`);
    await ingester.drain();
    await site.query(`insert into registry.department values ('law', 'Law'), ('maths', 'Maths')`);
    await site.query(`insert into registry.email values (5, 'e@x')`);
    await ingester.drain();
    await site.query(`insert into registry.email values (6, 'f@x')`);
    await ingester.drain();
    const rows = await site.query<{ key: string; priority: number }>(
      `select key, priority from staffetta.delivery where target = 'badge' order by key::int`,
    );
    expect(rows.map(({ key, priority }) => `${key} ${priority}`)).toEqual([
      '1 0',
      '2 0',
      '3 0',
      '4 1',
      '5 0',
      '6 0',
      '7 1',
    ]);
  });

  test('who is in it and changes by himself too does not wait behind it', async () => {
    await site.query(`insert into registry.person select generate_series(1, 4)`);
    await site.query(`insert into registry.email values (2, 'b@x')`);
    await ingester.drain();
    await site.query(`insert into registry.email values (3, 'c@x')`);
    await ingester.drain();
    await site.query(`update registry.person set uid = 'x'`);
    await ingester.drain();
    expect(await Promise.all(['1', '2', '3'].map(async (key) => (await delivery(key))?.priority))).toEqual([1, 0, 0]);
  });
});

describe('an entry that came, moved or went', () => {
  const tell = `insert into staffetta.event (source, op, cols) values ('@link', 'U', '{directory,person,1}')`;

  test('makes its holders due after a pause, behind everybody, and on its own target only', async () => {
    await site.query(`insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key) values
      ('directory', 'team', '5', 'member', 'person', '1'), ('directory', 'team', '6', 'member', 'person', '2'), ('badge', 'team', '5', 'member', 'person', '1')`);
    await site.query(tell);
    await ingester.drain();
    expect(
      await site.query(
        `select target, key, priority, due_at > first_at + interval '1 second' as later, first_cause from staffetta.delivery`,
      ),
    ).toEqual([
      {
        target: 'directory',
        key: '5',
        priority: 1,
        later: true,
        first_cause: 'change of an entry it refers to or waits for',
      },
    ]);
  });

  test('makes its holders due behind everybody, though they need not wait', async () => {
    await site.query(`insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key) values
      ('directory', 'team', '5', 'member', 'person', '1')`);
    await site.query(tell);
    await ingester.ingest.drain(ingester.client, { ...defaults, REFERENCE_SECONDS: 0 });
    expect(await site.query('select key, priority from staffetta.delivery')).toEqual([{ key: '5', priority: 1 }]);
  });

  test('lets its holders wait longer while many members are still to be delivered in bulk', async () => {
    await site.query(`insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key) values
      ('directory', 'team', '5', 'member', 'person', '1')`);
    await site.query(`insert into staffetta.delivery (target, entity, key, priority)
      select 'directory', 'person', i::text, 1 from generate_series(2, 5001) i`);
    await site.query(tell);
    await ingester.drain();
    const wait = `select round(extract(epoch from due_at - first_at))::int as seconds from staffetta.delivery where entity = 'team'`;
    expect(await site.query(wait)).toEqual([{ seconds: 10 }]);
    // The last member of the crowd, and they are written soon, once it is counted again.
    ingester.ingest.reset();
    await site.query(`delete from staffetta.delivery where entity = 'person'`);
    await site.query(tell);
    await ingester.drain();
    const [again] = await site.query<{ seconds: number }>(wait);
    expect(again?.seconds).toBeLessThan(4);
  });

  test('makes who waits for it due at once', async () => {
    await site.query(`insert into staffetta.delivery (target, entity, key, state, due_at, wait_entity, wait_key) values
      ('directory', 'person', '8', 'waiting', clock_timestamp() + interval '1 hour', 'person', '1'),
      ('directory', 'person', '9', 'waiting', clock_timestamp() + interval '1 hour', 'person', '2'),
      ('badge', 'person', '8', 'waiting', clock_timestamp() + interval '1 hour', 'person', '1')`);
    await site.query(tell);
    await ingester.drain();
    expect(await site.query(`select target, key from staffetta.delivery where due_at <= clock_timestamp()`)).toEqual([
      { target: 'directory', key: '8' },
    ]);
  });
});

test('of another configuration than its own it takes nothing, and blames no source', async () => {
  await site.query(`insert into registry.person values (1, 'a')`);
  await site.query(`update staffetta.installation set revision = 'another'`);
  const [source] = await site.query<{ name: string }>(
    `select name from staffetta.generated where kind = 'keys' and name like '%person_registry_email%'`,
  );
  await site.query(`alter function ${source?.name}(text[]) rename to elsewhere`);
  try {
    expect((await ingester.drain()).events).toBe(0);
    expect(await site.query('select source from staffetta.source where error is not null')).toEqual([]);
  } finally {
    await site.query(`alter function staffetta.elsewhere(text[]) rename to ${source?.name.replace('staffetta.', '')}`);
    await site.apply(config);
  }
  expect(await owed()).toEqual([]);
  await ingester.drain();
  expect(await owed()).toEqual(['person 1']);
});

test('a long drain says what it has after each batch, and stops when it is told to', async () => {
  await site.query(`insert into registry.person select generate_series(1, 10)`);
  const stop = new AbortController();
  const batches: number[] = [];
  const parameters = { ...defaults, INGEST_BATCH: 4 };
  await ingester.ingest.drain(ingester.client, parameters, {
    stop: stop.signal,
    ingested: ({ events }) => {
      batches.push(events);
      if (batches.length === 2) stop.abort();
    },
  });
  expect(batches).toEqual([4, 4]);
  expect(await owed()).toHaveLength(8);
  expect((await ingester.drain()).events).toBe(2);
});

test('what is approved stays approved when an entry that it refers to moves, and no longer when it changes itself', async () => {
  await site.query('insert into registry.person values (1)');
  await ingester.drain();
  await site.query('update staffetta.delivery set approved = rev');
  await site.query(
    `insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key) values ('directory', 'person', '1', 'manager', 'person', '2')`,
  );
  const approved = async () =>
    (await site.query(`select rev, approved from staffetta.delivery where target = 'directory'`))[0];
  await site.query(`insert into staffetta.event (source, op, cols) values ('@link', 'U', '{directory,person,2}')`);
  await ingester.drain();
  expect(await approved()).toEqual({ rev: '2', approved: '2' });
  await site.query(`update registry.person set uid = 'other'`);
  await ingester.drain();
  expect(await approved()).toEqual({ rev: '3', approved: '2' });
});
