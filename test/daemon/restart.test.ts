import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../src/demo/postgres.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('a database that is restarted', () => {
  let server: PostgresServer;
  let registry: Registry;

  beforeAll(async () => {
    server = await startPostgres({ durable: false });
    const url = await server.createDatabase('registry');
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    pool.on('error', () => {});
    registry = await createRegistry({
      database: {
        url,
        query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
          (await pool.query<Row>(sql, [...values])).rows,
        createRole: () => Promise.reject(new Error('not needed here')),
        drop: () => pool.end(),
      },
    });
  });
  afterAll(async () => {
    await registry.close();
    await server.close();
  });

  test.each(['fast', 'immediate'] as const)('(%s) is found again by itself, and everything arrives', async (mode) => {
    const daemon = await registry.spawnDaemon();
    await registry.query(
      `insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 300) n on conflict (id) do update set room = '1'`,
    );
    await server.stop(mode);
    await until(
      () => daemon.printed.stderr,
      (text) => text.includes('the database cannot be used at present'),
    );
    await server.start();
    await registry.query(`update registry.person set room = $1`, [mode]);
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
    await registry.query(`update registry.person set room = 'last' where id = 1`);
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  test('in the middle of a batch loses nothing of what was sent meanwhile, and nobody waits for a lease to end', async () => {
    const daemon = await registry.spawnDaemon();
    await registry.directory.kill('SIGSTOP');
    await registry.query(`update registry.person set room = 'middle'`);
    // Claimed, and the sessions of the pumps have been silent for a while: the changes are on their way.
    await until(
      () =>
        registry.query(
          `select count(*)::int as claimed, (select max(state_change) < clock_timestamp() - interval '100 ms' from pg_stat_activity
             where datname = current_database() and application_name = 'staffetta') as silent
           from staffetta.delivery where token is not null`,
        ),
      ([row]) => row?.claimed > 0 && row?.silent,
    );
    await server.stop();
    await registry.directory.kill('SIGCONT');
    await until(
      () => registry.directory.entries('(roomNumber=middle)'),
      (sent) => sent.size > 0,
    );
    await server.start();
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  test('does not keep a daemon from being stopped while it is away', async () => {
    const daemon = await registry.spawnDaemon();
    await server.stop();
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    await server.start();
  });
});
