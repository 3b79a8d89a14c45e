import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apply } from '../../src/apply/apply.ts';
import { bellChannel, parkedLock } from '../../src/capture/trigger.ts';
import { createPool } from '../../src/database/pool.ts';
import { startPostgres } from '../../src/demo/postgres.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';

let site: Site;
let parked: pg.Client;
let listener: pg.Client;
let writer: pg.Client;
const heard: string[] = [];
const sources = { 'registry.person': 'id', 'registry.quiet': { key: 'id', notify: false } };
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create table registry.quiet (id bigint primary key, uid text)`);
  await site.apply(configuration({ person: { view: 'registry.person', sources } }));
  parked = await site.connect();
  writer = await site.connect();
  listener = await site.connect();
  listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await listener.query(`listen ${bellChannel}`);
});
afterAll(() => site.close());

/** How often the bell rings for a statement. A second notification, sent after it, says when all have been heard. */
async function rings(...statements: string[]): Promise<number> {
  heard.length = 0;
  for (const statement of statements) await writer.query(statement);
  const last = new Promise<void>((resolve) => {
    const hear = ({ payload }: pg.Notification) => {
      if (payload !== 'end') return;
      listener.off('notification', hear);
      resolve();
    };
    listener.on('notification', hear);
  });
  await writer.query(`select pg_notify('${bellChannel}', 'end')`);
  await last;
  return heard.length - 1;
}

const change = (table = 'person') =>
  `insert into registry.${table} values (1, 'a') on conflict (id) do update set uid = registry.${table}.uid || 'a'`;

test('nobody rings while no drainer is parked', async () => {
  expect(await rings(change(), change())).toBe(0);
});

describe('while a drainer is parked', () => {
  beforeAll(async () => {
    await parked.query('select pg_advisory_lock($1)', [parkedLock]);
  });
  afterAll(async () => {
    await parked.query('select pg_advisory_unlock($1)', [parkedLock]);
  });

  test('each transaction that recorded something rings once, when it commits', async () => {
    expect(await rings(change())).toBe(1);
    expect(await rings('begin', change(), change(), 'update registry.person set id = 2', 'commit')).toBe(1);
    expect(await rings('begin', change(), 'rollback')).toBe(0);
    expect(await rings('truncate registry.person')).toBe(1);
  });

  test('a change of key alone rings', async () => {
    await rings(change());
    expect(await rings('update registry.person set id = id + 1')).toBe(1);
  });

  test('who changed no row does not ring', async () => {
    expect(await rings('update registry.person set uid = null where id = 99')).toBe(0);
  });

  test('nor does a source with `notify: false`', async () => {
    expect(await rings(change('quiet'), 'truncate registry.quiet')).toBe(0);
  });

  test('a change that could not be read rings too', async () => {
    await site.query('alter table registry.person rename id to number');
    expect(await rings('insert into registry.person values (77)')).toBe(1);
    await site.query('alter table registry.person rename number to id');
  });
});

test('a writer holds no lock of the bell afterwards', async () => {
  await writer.query(`begin; ${change()}`);
  expect(
    await site.query(
      `select * from pg_locks where locktype = 'advisory' and objid = $1
       and database = (select oid from pg_database where datname = current_database())`,
      [parkedLock],
    ),
  ).toEqual([]);
  await parked.query(
    `set lock_timeout = '1s'; select pg_advisory_lock(${parkedLock}); select pg_advisory_unlock(${parkedLock})`,
  );
  await writer.query('commit');
});

describe('where the server allows prepared transactions', () => {
  test('the bell is off unless it is asked for, since NOTIFY would forbid PREPARE TRANSACTION', async () => {
    const server = await startPostgres({ durable: false, settings: { max_prepared_transactions: '5' } });
    try {
      const url = await server.createDatabase('u');
      const pool = createPool(url, 'test', 6);
      await pool.query(
        `create schema registry; create table registry.person (id bigint primary key); create table registry.asked (id bigint)`,
      );
      const loaded = await site.load(
        configuration({
          person: {
            view: 'registry.person',
            sources: { 'registry.person': 'id', 'registry.asked': { key: 'id', notify: true } },
          },
        }),
      );
      await apply(pool, loaded);
      expect((await pool.query('select source, notify from staffetta.source order by 1')).rows).toEqual([
        { source: 'registry.asked', notify: true },
        { source: 'registry.person', notify: false },
      ]);
      const drainer = await pool.connect();
      await drainer.query('select pg_advisory_lock($1)', [parkedLock]);
      const client = await pool.connect();
      await client.query(`begin; insert into registry.person values (1)`);
      await client.query(`prepare transaction 'p'`);
      expect((await pool.query('select * from staffetta.event')).rows).toEqual([]);
      await client.query(`commit prepared 'p'`);
      expect((await pool.query('select cols from staffetta.event')).rows).toEqual([{ cols: ['1'] }]);
      await client.query(`begin; insert into registry.asked values (1)`);
      await expect(client.query(`prepare transaction 'p'`)).rejects.toThrow(
        'cannot PREPARE a transaction that has executed',
      );
      client.release();
      drainer.release(true);
      await pool.end();
    } finally {
      await server.close();
    }
  });
});
