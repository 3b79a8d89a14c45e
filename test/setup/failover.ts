import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { PostgresServer } from '../../src/demo/postgres.ts';
import { until } from './until.ts';

/** The timeline that a server writes: it grows with each failover and each point-in-time restore. */
export async function timelineOf(server: PostgresServer): Promise<number> {
  const [row] = await ask<{ timeline: string }>(
    server,
    'select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline',
  );
  return Number.parseInt(row?.timeline ?? '', 16);
}

/**
 * Stops a server and starts it as one that has taken over: same data, same address, a timeline of its own. Returns when
 * it takes writes.
 *
 * @param mode how it stops; `immediate`: as a primary that crashes
 */
export async function failOver(server: PostgresServer, mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
  await server.stop(mode);
  // An archive with nothing in it: recovery ends where the server's own log does, and that is a promotion.
  await appendFile(join(server.dataFolder, 'postgresql.auto.conf'), `restore_command = 'false'\n`);
  await writeFile(join(server.dataFolder, 'recovery.signal'), '');
  await server.start();
  await until(
    () => ask<{ recovering: boolean }>(server, 'select pg_is_in_recovery() as recovering'),
    ([row]) => row?.recovering === false,
    { what: 'that the server is promoted' },
  );
}

async function ask<Row extends pg.QueryResultRow>(server: PostgresServer, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
