import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../../src/database/client.ts';
import { connectionOptions, createPool, sessionSettings } from '../../src/database/pool.ts';
import { openDatabaseProxy } from '../faults/database-proxy.ts';
import { createDatabase, type Database } from '../setup/database.ts';

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
  for (const setting of ["datestyle = 'German'", `statement_timeout = '1h'`, `lock_timeout = '1h'`])
    await database.query(`alter database ${pg.escapeIdentifier(database.name)} set ${setting}`);
});
afterAll(() => database.drop());

async function ask<R extends pg.QueryResultRow>(url: string, statement: string): Promise<R[]> {
  const pool = createPool(url, 'test');
  try {
    return (await pool.query<R>(statement)).rows;
  } finally {
    await pool.end();
  }
}

describe('every connection', () => {
  const named = Object.keys(sessionSettings).map((name) => `current_setting('${name}') as "${name}"`);

  test.each([
    ['whatever the database has set', ''],
    [
      'whatever the connection string asks for',
      '?options=-c%20statement_timeout%3D1%20-c%20row_security%3Don%20-c%20timezone%3DAsia/Tokyo%20-c%20search_path%3Dpg_catalog',
    ],
  ])('has the pinned settings, %s', async (_, query) => {
    const found = await ask(`${database.url}${query}`, `select ${named.join(', ')}`);
    const wanted = Object.entries(sessionSettings).map(
      ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true) as "${name}"`,
    );
    expect(found).toEqual(await database.query(`select ${wanted.join(', ')}`));
  });

  test('keeps what else the connection string asks for', async () => {
    const url = `${database.url}?options=-c%20work_mem%3D12345&application_name=other`;
    expect(await ask(url, `select current_setting('work_mem') as memory`)).toEqual([{ memory: '12345kB' }]);
  });

  test('finds a row security policy that would hide rows an error, never an absence', async () => {
    const role = await database.createRole();
    await database.query(
      `create table person (id int); insert into person values (1); alter table person enable row level security`,
    );
    await database.query(`grant select on person to ${role.name}`);
    await expect(ask(role.url, 'select * from person')).rejects.toThrow(
      'would be affected by row-level security policy',
    );
  });
});

test('a pool outlives the loss of its connections', async () => {
  const pool = createPool(database.url, 'to be ended', 2);
  const end = () =>
    database.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to be ended'`);
  await pool.query('select 1');
  await end();
  await expect.poll(() => pool.query('select 2 as n').then(({ rows }) => rows, String)).toEqual([{ n: 2 }]);
  const client = await pool.connect();
  await client.query('begin');
  await end();
  await expect(client.query('select 1')).rejects.toThrow();
  client.release(true);
  expect((await pool.query('select 3 as n')).rows).toEqual([{ n: 3 }]);
  await pool.end();
});

test('a pool whose connections went silent notices with the first, and does not ask each of the others', async () => {
  const proxy = await openDatabaseProxy(database.url);
  const pool = createPool(`${proxy.url}?query_timeout=500`, 'silent', 6);
  await Promise.all(Array.from({ length: 6 }, () => pool.query('select pg_sleep(0.1)')));
  expect(pool.idleCount).toBe(6);
  proxy.swallow();
  await expect(pool.query('select 1')).rejects.toThrow('Query read timeout');
  proxy.heal();
  expect((await pool.query('select 2 as n')).rows).toEqual([{ n: 2 }]);
  // Whoever gives a silent connection back without a word does not hand it to the next.
  const client = await pool.connect();
  proxy.swallow();
  await expect(client.query('select 3')).rejects.toThrow('Query read timeout');
  client.release();
  proxy.heal();
  await expect.poll(() => pool.query('select 4 as n').then(({ rows }) => rows, String)).toEqual([{ n: 4 }]);
  await pool.end();
  await proxy.close();
});

test('a connection with nobody at the other end can be closed', async () => {
  const proxy = await openDatabaseProxy(database.url);
  const client = new Client(connectionOptions(proxy.url, 'alone'));
  await client.connect();
  proxy.swallow();
  await client.end();
  await proxy.close();
});
