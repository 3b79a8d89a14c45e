import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool, sessionSettings } from '../../src/database/pool.ts';
import { createDatabase, type Database } from '../setup/database.ts';

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
  await database.query(`alter database ${pg.escapeIdentifier(database.name)} set datestyle = 'German'`);
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
      '?options=-c%20row_security%3Don%20-c%20timezone%3DAsia/Tokyo%20-c%20search_path%3Dpg_catalog',
    ],
  ])('has the pinned settings, %s', async (_, query) => {
    const [found] = await ask<Record<string, string>>(`${database.url}${query}`, `select ${named.join(', ')}`);
    const plain = (settings: Record<string, string>) =>
      Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value.replaceAll(' ', '')]));
    expect(plain(found ?? {})).toEqual(plain(sessionSettings));
  });

  test('keeps what else the connection string asks for', async () => {
    const url = `${database.url}?options=-c%20statement_timeout%3D12345&application_name=other`;
    expect(await ask(url, `select current_setting('statement_timeout') as timeout`)).toEqual([{ timeout: '12345ms' }]);
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
