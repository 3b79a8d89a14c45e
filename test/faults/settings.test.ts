import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool } from '../../src/database/pool.ts';
import { createDatabase, type Database } from '../setup/database.ts';
import { createRegistry, type Process, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

/** What administrators give their databases for the sake of applications, and what would end a daemon's statements. */
const settings = {
  statement_timeout: '50ms',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
  idle_session_timeout: '20ms',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
};

describe('a database whose settings are made for others', () => {
  let database: Database;
  let application: pg.Pool;
  let registry: Registry;
  let daemon: Process;

  beforeAll(async () => {
    database = await createDatabase();
    application = createPool(database.url, 'application');
    registry = await createRegistry({
      database: {
        ...database,
        query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
          (await application.query<Row>(sql, [...values])).rows,
        drop: async () => {
          await application.end();
          await database.drop();
        },
      },
    });
    const name = pg.escapeIdentifier(database.name);
    const [server] = await database.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    const known = { ...settings, ...(server && server.version >= 170000 && { transaction_timeout: '50ms' }) };
    for (const [setting, value] of Object.entries(known))
      await application.query(`alter database ${name} set ${setting} = '${value}'`);
    daemon = await registry.spawnDaemon();
  });
  afterAll(() => registry.close());

  test('is followed like any other', async () => {
    await registry.query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 300) n`);
    await registry.query(`insert into registry.team values (1, 'all')`);
    await registry.query('insert into registry.member select 1, id from registry.person');
    await registry.calm();
    await registry.query(`update registry.person set uid = 'r' || id where id <= 100`);
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });

  test('takes in 50,000 changes at once, and compares 50,300 rows', async () => {
    await registry.query(`select staffetta.pause('directory')`);
    await registry.query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(301, 50300) n`);
    await until(
      () => registry.query('select from staffetta.event limit 1'),
      (events) => events.length === 0,
    );
    await registry.query('update staffetta.route set rescan = rescan + 1');
    await registry.query('select staffetta.sweep()');
    await until(
      () => daemon.printed.stderr,
      (text) => text.includes('"entity":"person","compared":50300'),
      { what: 'a rescan of 50,300 people' },
    );
    expect(await registry.query('select count(*)::int as owed from staffetta.delivery')).toEqual([{ owed: 50_000 }]);
  });

  test('gave the daemon nothing to complain of', async () => {
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.printed.stderr.split('\n').filter((line) => /"level":[45]0/.test(line))).toEqual([]);
  });
});
