/** What goes wrong in one event or one source harms no other (PROTOCOL A10). */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readParameters } from '../../src/database/parameters.ts';
import type { Queryable } from '../../src/database/transaction.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { createIngester, type Ingester } from './ingester.ts';

let site: Site;
let ingester: Ingester;
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create table registry.card (number text, person text);
    create table registry.department (id text primary key);
    create table registry.career (person_id bigint, department_id text);
    create table registry.strict (id bigint);
    create function registry.strictly(id bigint) returns bigint language plpgsql as $$
      begin if id > 100 then raise exception 'no such number: %', id; end if; return id; end $$;
    create table registry.note (id text primary key, body text);
    create table registry.tag (name text);
    create table registry.label (tag text, note_id text);
    create view registry.v_note as select id, body from registry.note`);
  await site.apply(
    configuration({
      person: {
        view: 'registry.person',
        sources: {
          'registry.person': 'id',
          'registry.card': 'person::bigint',
          'registry.department': {
            key: 'id',
            resolve: 'select person_id from registry.career where department_id = any($1)',
          },
          'registry.strict': 'registry.strictly(id)',
        },
      },
      note: {
        view: 'registry.v_note',
        sources: {
          'registry.note': 'id',
          'registry.tag': { key: 'name', resolve: 'select note_id from registry.label where tag = any($1)' },
        },
      },
    }),
  );
  ingester = await createIngester(site, ['person', 'note']);
});
afterAll(async () => {
  ingester.client.release(true);
  await site.close();
});
beforeEach(async () => {
  await site.query(
    'truncate registry.person, registry.card, registry.department, registry.career, registry.strict, registry.note',
  );
  await site.query('truncate staffetta.event, staffetta.delivery, staffetta.event_failed');
  ingester.ingest.reset();
});

const owed = async () =>
  (await site.query<{ key: string }>(`select key from staffetta.delivery order by length(key), key`)).map(
    ({ key }) => key,
  );
const failed = () =>
  site.query(`select source, op, cols, error, actor = 'postgres' as known from staffetta.event_failed order by seq`);
const broken = () =>
  site.query(`select source, error, error_at is not null as dated from staffetta.source where error is not null`);

describe('an event whose value cannot be read', () => {
  test('moves to event_failed alone, with the reason; its whole batch goes through', async () => {
    await site.query(`insert into registry.card select n, n::text from generate_series(1, 40) n`);
    await site.query(
      `insert into registry.card values (41, 'forty-one'), (42, '42'), (43, '99999999999999999999'), (44, '44')`,
    );
    await site.query(`insert into registry.person values (50, 'x')`);
    const { events } = await ingester.drain();
    expect(events).toBe(43);
    expect((await owed()).map(Number)).toEqual([...Array.from({ length: 40 }, (_, n) => n + 1), 42, 44, 50]);
    expect(await failed()).toEqual([
      {
        source: 'registry.card',
        op: 'I',
        cols: ['forty-one'],
        error: 'invalid input syntax for type bigint: "forty-one"',
        known: true,
      },
      {
        source: 'registry.card',
        op: 'I',
        cols: ['99999999999999999999'],
        error: expect.stringContaining('out of range'),
        known: true,
      },
    ]);
    expect(await site.query('select * from staffetta.event')).toEqual([]);
    expect(await broken()).toEqual([]);
    expect(await site.query(`select source, key from staffetta.failures where failure = 'event'`)).toEqual([
      { source: 'registry.card', key: 'forty-one' },
      { source: 'registry.card', key: '99999999999999999999' },
    ]);
  });

  test('also where the key reads well, but no index can hold it', async () => {
    await site.query(`insert into staffetta.event (source, op, cols)
      select 'registry.note', 'I', array[string_agg(md5(n::text), '')] from generate_series(1, 300) n`);
    await site.query(`insert into registry.note values ('short')`);
    await ingester.drain();
    expect(await owed()).toEqual(['short']);
    expect(await failed()).toMatchObject([
      {
        source: 'registry.note',
        error: expect.stringMatching(/^the key "\w{40}…" has 9600 bytes; expected at most 1000$/),
      },
    ]);
  });

  test('of the keys that one event gives, only the one that is too long is left out', async () => {
    await site.query(
      `insert into registry.label values ('x', 'short'), ('x', repeat('y', 1001)), ('x', repeat('z', 1000))`,
    );
    await site.query(`insert into registry.tag values ('x'), ('x')`);
    await ingester.drain();
    expect(await owed()).toEqual(['short', 'z'.repeat(1000)]);
    expect(await failed()).toMatchObject([{ source: 'registry.tag', cols: ['x'] }]);
    expect(await site.query(`select length(key) from staffetta.failures where failure = 'event'`)).toHaveLength(1);
  });

  test('and what PostgreSQL says of a long value is cut', async () => {
    await site.query(`insert into registry.card values (1, repeat('x', 1000000))`);
    await ingester.drain();
    const [row] = await site.query(
      `select length(error) as error, length(cols::text) as cols from staffetta.event_failed`,
    );
    expect(row).toEqual({ error: 1001, cols: 1000002 });
    const [failure] = await site.query(`select length(key) as key from staffetta.failures where failure = 'event'`);
    expect(failure).toEqual({ key: 200 });
  });

  test('is the one that moves, though another ingester holds it and others come before it', async () => {
    await site.query(`insert into registry.card values (1, 'one')`);
    const other = await site.connect();
    await other.query('begin; select * from staffetta.event for update');
    await site.query(`insert into registry.card values (2, '2')`);
    await ingester.drain();
    expect([await owed(), await failed()]).toEqual([['2'], []]);
    await other.query('rollback');
    await ingester.drain();
    expect(await failed()).toMatchObject([{ cols: ['one'] }]);
  });

  test('which another ingester has put aside meanwhile, as the last of all, is nobody’s failure', async () => {
    const other = await createIngester(site, ['person', 'note']);
    await site.query(`insert into registry.card values (1, 'one')`);
    const slow: Queryable = {
      query: async (statement: string | pg.QueryConfig, values?: unknown[]) => {
        const asksForTheEvent = typeof statement === 'string' && statement.includes('for update skip locked');
        if (asksForTheEvent) await other.drain();
        return ingester.client.query(statement, values);
      },
    };
    try {
      await ingester.ingest.drain(slow, await readParameters(site.pool));
    } finally {
      other.client.release();
    }
    expect(await failed()).toMatchObject([{ cols: ['one'] }]);
  });

  test('and several ingesters at once put aside the bad events and no others', async () => {
    await site.query(
      `insert into registry.card select n, case when n % 10 = 0 then 'bad ' || n else n::text end from generate_series(1, 300) n`,
    );
    const others = await Promise.all([
      createIngester(site, ['person', 'note']),
      createIngester(site, ['person', 'note']),
    ]);
    try {
      await Promise.all([ingester, ...others].map((each) => each.drain()));
    } finally {
      for (const { client } of others) client.release();
    }
    await ingester.drain();
    expect((await owed()).map(Number)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1).filter((n) => n % 10 > 0));
    expect(await failed()).toHaveLength(30);
    expect((await failed()).every(({ cols }) => String(cols).startsWith('bad'))).toBe(true);
  });
});

describe('a source that cannot be ingested', () => {
  test('because a table of its resolve query is gone: keeps its events, says so, and recovers', async () => {
    await site.query('alter table registry.career rename to elsewhere');
    await site.query(`insert into registry.elsewhere values (7, 'law')`);
    await site.query(`insert into registry.department values ('law')`);
    await site.query(`insert into registry.person values (1, 'x'), (2, 'y')`);
    const { events, targets } = await ingester.drain();
    expect([events, [...targets]]).toEqual([2, ['directory']]);
    expect(await owed()).toEqual(['1', '2']);
    expect(await broken()).toEqual([
      { source: 'registry.department', error: 'relation "registry.career" does not exist', dated: true },
    ]);
    expect(await site.query(`select source, failure from staffetta.failures where source is not null`)).toEqual([
      { source: 'registry.department', failure: 'source' },
    ]);
    await site.query(`insert into registry.person values (3, 'z')`);
    await ingester.drain();
    expect(await owed()).toEqual(['1', '2', '3']);

    await site.query('alter table registry.elsewhere rename to career');
    expect((await ingester.drain()).events).toBe(1);
    expect(await owed()).toEqual(['1', '2', '3', '7']);
    expect(await broken()).toEqual([]);
  });

  test('by an error of its own function, for one row of many: keeps what is behind it, too', async () => {
    await site.query(`insert into registry.strict values (1), (200), (2)`);
    await site.query(`insert into registry.person values (5, 'x')`);
    await ingester.drain();
    expect(await owed()).toEqual(['1', '5']);
    expect(await broken()).toMatchObject([{ source: 'registry.strict', error: 'no such number: 200' }]);
    expect(await site.events()).toEqual(['I registry.strict 200', 'I registry.strict 2']);
    expect(await failed()).toEqual([]);
    await ingester.drain();
    expect(await broken()).toEqual([]);
  });

  test('though it has no event: the others go on', async () => {
    const [keys] = await site.query<{ name: string }>(
      `select name from staffetta.generated where kind = 'keys' and name like '%department%'`,
    );
    await site.query(`alter function ${keys?.name}(text[]) rename to elsewhere`);
    await site.query(`insert into registry.person values (5, 'x')`);
    await ingester.drain();
    await site.query(`alter function staffetta.elsewhere(text[]) rename to ${keys?.name.replace('staffetta.', '')}`);
    expect(await owed()).toEqual(['5']);
    expect(await broken()).toMatchObject([{ source: 'registry.department' }]);
  });

  test('is told to be well by whoever ingests it, also after a restart', async () => {
    await site.query(`update staffetta.source set error = 'x', error_at = now()`);
    await ingester.drain();
    expect(await broken()).toEqual([]);
  });
});

test('where the queue itself is missing, the drain fails and blames no source', async () => {
  await site.query(`insert into registry.person values (5, 'x')`);
  await site.query('alter table staffetta.delivery rename to elsewhere');
  await expect(ingester.drain()).rejects.toThrow('relation "staffetta.delivery" does not exist');
  await site.query('alter table staffetta.elsewhere rename to delivery');
  await ingester.drain();
  expect([await owed(), await broken()]).toEqual([['5'], []]);
});
