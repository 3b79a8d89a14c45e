import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patience, sessionSettings } from '../../src/database/pool.ts';
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
    const pinned = Object.keys(sessionSettings).filter((name) => name !== 'default_transaction_isolation');
    const settings = Object.entries({ ...sessionSettings, statement_timeout: String(patience.batch) }).filter(
      ([name]) => pinned.includes(name),
    );
    const shown = pinned.map((name) => `current_setting('${name}') as "${name}"`);
    const wanted = settings.map(
      ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true) as "${name}"`,
    );
    const { rows } = await session.database.query(`select ${shown.join(', ')}`);
    const plain = (found: unknown) => JSON.stringify(found).replaceAll(' ', '');
    expect(plain(rows)).toBe(plain(await database.query(`select ${wanted.join(', ')}`)));
  });

  test('gives statements about everything there is more time', async () => {
    const ask = `select extract(epoch from current_setting('statement_timeout')::interval)::int * 1000 as timeout`;
    const { rows } = await session.unhurried.query<{ timeout: number }>(ask);
    expect(rows).toEqual([{ timeout: patience.everything }]);
  });

  test('plans statements about a few keys once, unless a pooler is in between', async () => {
    const { rows } = await session.few.query<{ mode: string }>(`select current_setting('plan_cache_mode') as mode`);
    expect(rows).toEqual([{ mode: way === 'a transaction pooler' ? 'force_custom_plan' : 'force_generic_plan' }]);
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
