import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../../src/demo/postgres.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

describe('a private PostgreSQL server', () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres({ durable: false, settings: { max_prepared_transactions: '3' } });
    url = await server.createDatabase("people's");
  });
  afterAll(() => server.close());

  test('speaks UTF-8 and UTC and takes settings', async () => {
    expect(await query(url, "select lower('ÀÉ'), getdatabaseencoding()")).toEqual(['àé', 'UTF8']);
    expect(
      await query(url, "select current_setting('timezone'), current_setting('max_prepared_transactions')"),
    ).toEqual(['UTC', '3']);
  });

  test('keeps its data and its port over a restart, in order or as after a crash', async () => {
    await query(url, "create table person as select 'Ada' as name");
    for (const mode of ['fast', 'immediate'] as const) {
      await server.restart(mode);
      expect(await query(url, 'select name from person')).toEqual(['Ada']);
    }
  });

  test('refuses connections while stopped', async () => {
    await server.stop();
    await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await query(url, 'select 1')).toEqual([1]);
  });

  test('wants a password', async () => {
    const wrong = Object.assign(new URL(url), { password: 'guessed' }).href;
    await expect(query(wrong, 'select 1')).rejects.toThrow('password authentication failed');
  });
});

describe('when it is closed', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'staffetta-test-'));
    await chmod(folder, 0o711);
    vi.stubEnv('TMPDIR', folder);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  test('a server leaves no folder', async () => {
    const server = await startPostgres({ durable: false });
    expect(await readdir(folder)).toHaveLength(1);
    await server.close();
    expect(await readdir(folder)).toEqual([]);
  });

  test('a server that could not start leaves none either, and says why', async () => {
    await expect(startPostgres({ settings: { max_connections: 'many' } })).rejects.toThrow(
      /PostgreSQL did not start on port \d+ \(exit code 1\).*"max_connections": "many"/s,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('a folder without a server is named', async () => {
    vi.stubEnv('STAFFETTA_POSTGRES_BIN', folder);
    await expect(startPostgres()).rejects.toThrow(`STAFFETTA_POSTGRES_BIN is ${folder}, but there is no initdb in it`);
    expect(await readdir(folder)).toEqual([]);
  });
});
