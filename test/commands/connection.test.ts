import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { connect } from '../../src/commands/connection.ts';
import { createDatabase } from '../setup/database.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** The address of the database, some of it written otherwise. */
function elsewhere(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

/** A port that nothing listens on. */
function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

async function actor(): Promise<string | undefined> {
  const pool = await connect(database.url);
  const { rows } = await pool.query<{ actor: string }>("select current_setting('staffetta.actor') as actor");
  await pool.end();
  return rows[0]?.actor;
}

describe('the connections of a command', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('act in the name of the user of the operating system', async () => {
    vi.stubEnv('SUDO_USER', undefined);
    expect(await actor()).toBe(userInfo().username);
  });

  test('act, under sudo, in the name of who called it', async () => {
    vi.stubEnv('SUDO_USER', 'carla');
    expect(await actor()).toBe('carla');
  });

  test('to a server that is not there fail in one sentence', async () => {
    const port = await freePort();
    await expect(connect(`postgres://app:geheim@127.0.0.1:${port}/x`)).rejects.toThrow(
      `Cannot connect to PostgreSQL at 127.0.0.1:${port}, database x as app: nothing answers there.`,
    );
  });

  test('to a database that is not there say so', async () => {
    const url = elsewhere((address) => {
      address.pathname = '/nowhere';
    });
    await expect(connect(url)).rejects.toThrow(/database nowhere.*: there is no such database\.$/);
  });

  test('never show a password', async () => {
    for (const url of ['postgres://app:geheim@127.0.0.1:1/x', 'postgres://app:geheim@no host/x']) {
      const error = await connect(url).catch(String);
      expect(error).toMatch(/^UserError: Cannot connect/);
      expect(error).not.toContain('geheim');
    }
  });
});
