import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionSettings } from '../../src/database/pool.ts';
import { openSession, type Session } from '../../src/database/session.ts';
import { createDatabase, type Database } from '../setup/database.ts';

describe.each(['a direct connection', 'a transaction pooler'])('a session through %s', (way) => {
  let database: Database;
  let session: Session;

  beforeAll(async () => {
    database = await createDatabase();
    // What an administrator may have set must not reach us.
    const name = pg.escapeIdentifier(database.name);
    await database.query(`alter database ${name} set timezone = 'Asia/Tokyo'`);
    await database.query(`alter database ${name} set datestyle = 'German'`);
    await database.query(`alter database ${name} set default_transaction_isolation = 'serializable'`);
    await database.query(`alter database ${name} set synchronous_commit = off`);
    const pooled = way === 'a transaction pooler' ? { listen: database.url } : {};
    session = openSession({ url: database.url, ...pooled }, 'test', 2);
  });

  afterAll(async () => {
    await session.end();
    await database.drop();
  });

  test('runs every statement under the pinned settings', async () => {
    const { rows } = await session.database.query<{ name: string; setting: string }>(
      'select name, setting from pg_settings where name = any($1)',
      [Object.keys(sessionSettings)],
    );
    const found = Object.fromEntries(rows.map(({ name, setting }) => [name, setting.replaceAll(' ', '')]));
    const pinned = Object.entries(sessionSettings)
      .filter(([name]) => name !== 'default_transaction_isolation')
      .map(([name, value]) => [name, value.replaceAll(' ', '')]);
    expect(found).toMatchObject(Object.fromEntries(pinned));
  });

  test('reads committed, whatever the default of the database', async () => {
    const { rows } = await session.database.query<{ level: string }>(
      `select current_setting('transaction_isolation') as level`,
    );
    expect(rows).toEqual([{ level: 'read committed' }]);
  });

  test('binds the values of a named statement', async () => {
    const ask = () =>
      session.database.query<{ sum: number }>({ name: 'sum', text: 'select $1::int + $2::int as sum', values: [1, 2] });
    expect((await ask()).rows).toEqual([{ sum: 3 }]);
    expect((await ask()).rows).toEqual([{ sum: 3 }]);
  });

  test('undoes a statement that fails', async () => {
    await session.database.query('create table if not exists public.kept (n int primary key)');
    await expect(session.database.query('insert into public.kept values (1), (1)')).rejects.toThrow(/duplicate key/);
    expect((await session.database.query('select * from public.kept')).rows).toEqual([]);
  });
});
