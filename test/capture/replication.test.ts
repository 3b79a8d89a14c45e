/** A subscriber of logical replication: what its apply worker writes is captured with `capture: row, always`. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apply } from '../../src/apply/apply.ts';
import { bellChannel, parkedLock } from '../../src/capture/trigger.ts';
import { createPool } from '../../src/database/pool.ts';
import { type PostgresServer, startPostgres } from '../../src/demo/postgres.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { until } from '../setup/until.ts';

let server: PostgresServer;
let site: Site;
let publisher: pg.Pool;
let subscriber: pg.Pool;
const source = { key: 'id', capture: 'row, always' };
beforeAll(async () => {
  site = await createSite();
  server = await startPostgres({ durable: false, settings: { wal_level: 'logical' } });
  const tables = `
    create schema registry;
    create table registry.person (id bigint primary key, uid text);
    create table registry.plain (id bigint primary key, uid text);
    create table registry.visit (id bigint primary key, room text) partition by range (id);
    create table registry.visit_low partition of registry.visit for values from (0) to (100);
    create table registry.visit_high partition of registry.visit for values from (100) to (200);`;
  publisher = createPool(await server.createDatabase('publisher'), 'test publisher');
  await publisher.query(
    `${tables} create publication p for table registry.person, registry.plain, registry.visit with (publish_via_partition_root)`,
  );
  subscriber = createPool(await server.createDatabase('subscriber'), 'test subscriber', 6);
  await subscriber.query(tables);
  await apply(
    subscriber,
    await site.load(
      configuration({
        person: { view: 'registry.person', sources: { 'registry.person': source, 'registry.visit': source } },
        plain: { view: 'registry.plain', sources: { 'registry.plain': 'id' } },
      }),
    ),
  );
});
afterAll(async () => {
  await subscriber.query('alter subscription s disable').catch(() => undefined);
  await Promise.all([publisher.end(), subscriber.end()]);
  await server.close();
  await site.close();
});

/** The events that are there once `statements`, of the publisher, have been applied here; a row written last tells. */
let last = 1000;
async function replicated(...statements: string[]): Promise<string[]> {
  last += 1;
  for (const statement of statements) await publisher.query(statement);
  await publisher.query('insert into registry.plain values ($1)', [last]);
  await arrived(last);
  return events();
}

async function arrived(id: number): Promise<void> {
  await until(
    () => subscriber.query('select from registry.plain where id = $1', [id]),
    ({ rowCount }) => rowCount === 1,
    { what: 'that it is replicated' },
  );
}

async function events(): Promise<string[]> {
  const { rows } = await subscriber.query<{ said: string }>(
    `with gone as (delete from staffetta.event returning *)
     select concat_ws(' ', op, source, array_to_string(cols, ',')) as said from gone order by seq`,
  );
  return rows.map(({ said }) => said);
}

describe('a subscriber', () => {
  test('captures the rows of the initial copy', async () => {
    await publisher.query(`insert into registry.person values (1, 'ada'), (2, 'bob')`);
    await publisher.query(`insert into registry.visit values (1, 'a'), (101, 'b')`);
    await publisher.query(`insert into registry.plain values (1, 'x')`);
    // A subscription to the same server cannot make its slot itself.
    await publisher.query(`select pg_create_logical_replication_slot('s', 'pgoutput')`);
    const { user, password, port, host } = new pg.Client({ connectionString: server.url('publisher') });
    await subscriber.query(
      `create subscription s connection 'host=${host} port=${port} user=${user} password=${password} dbname=publisher'
       publication p with (create_slot = false, slot_name = 's')`,
    );
    await until(
      () => subscriber.query(`select from pg_subscription_rel where srsubstate <> 'r'`),
      ({ rowCount }) => rowCount === 0,
      { what: 'that the tables are copied' },
    );
    expect((await events()).sort()).toEqual([
      'I registry.person 1',
      'I registry.person 2',
      // PostgreSQL copies with COPY, which fires the triggers that always fire.
      'I registry.visit 1',
      'I registry.visit 101',
    ]);
  });

  test('captures what is replicated: inserts, updates, changes of key, deletions', async () => {
    expect(
      await replicated(
        `insert into registry.person values (3, 'cid')`,
        `update registry.person set uid = 'x' where id in (1, 2)`,
        'update registry.person set id = 42 where id = 1',
        'delete from registry.person where id = 2',
      ),
    ).toEqual([
      'I registry.person 3',
      'U registry.person 1',
      'U registry.person 2',
      'U registry.person 42',
      'U registry.person 1',
      'D registry.person 2',
    ]);
  });

  test('and truncates, and partitions, where a row moves from one to another', async () => {
    expect(
      await replicated(
        `update registry.visit set room = 'z' where id = 101`,
        'update registry.visit set id = 102 where id = 1',
        'truncate registry.person',
      ),
    ).toEqual(['U registry.visit 101', 'D registry.visit 1', 'I registry.visit 102', 'R registry.person']);
  });

  test('and wakes a parked drainer', async () => {
    const [listener, parked] = [await subscriber.connect(), await subscriber.connect()];
    const heard = Promise.withResolvers<string | undefined>();
    listener.on('notification', ({ payload }) => heard.resolve(payload));
    await listener.query(`listen ${bellChannel}`);
    await parked.query('select pg_advisory_lock($1)', [parkedLock]);
    await publisher.query(`insert into registry.person values (7, 'gil')`);
    expect(await heard.promise).toBe('');
    parked.release(true);
    listener.release(true);
    expect(await events()).toEqual(['I registry.person 7']);
  });

  test('does not capture with plain `statement`, as the documentation says; the rescan finds that', async () => {
    expect(await replicated(`update registry.plain set uid = 'y' where id = 1`)).toEqual([]);
    await subscriber.query('select * from staffetta.rescan()');
    const { rows } = await subscriber.query<{ key: string }>(
      `select key from staffetta.delivery where entity = 'plain' order by length(key), key`,
    );
    expect(rows.map(({ key }) => key)).toEqual(['1', ...Array.from({ length: last - 1000 }, (_, n) => `${1001 + n}`)]);
  });
});
