import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Listener } from '../../src/database/listener.ts';
import { startPostgres } from '../../src/demo/postgres.ts';
import { createDatabase, type Database } from '../setup/database.ts';
import { until } from '../setup/until.ts';

let database: Database;
let listener: Listener | undefined;
let rings = 0;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
afterEach(() => listener?.close());

function begin(url = database.url): void {
  rings = 0;
  listener = new Listener(url, 'bell', () => {
    rings += 1;
  });
  listener.start();
}
const rung = (times: number) =>
  until(
    () => rings,
    (seen) => seen >= times,
    { what: `${times} rings` },
  );
const sessions = () =>
  database.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = 'staffetta listener' and datname = current_database()`,
  );

describe('a listener', () => {
  test('rings when it is connected, and for each notification of its channel', async () => {
    begin();
    await rung(1);
    await database.query(`notify other; notify bell; notify bell, 'due'`);
    await rung(3);
    expect(rings).toBe(3);
  });

  test('whose session is ended connects again, rings, since some may have been missed, and hears again', async () => {
    begin();
    await rung(1);
    for (const round of [1, 2]) {
      const before = rings;
      const [session] = await sessions();
      await database.query('select pg_terminate_backend($1)', [session?.pid]);
      await rung(before + 1);
      await database.query('notify bell');
      await rung(before + 2);
      expect(await sessions(), `round ${round}`).toHaveLength(1);
    }
  });

  test('is quiet and leaves no session when it is closed', async () => {
    begin();
    await rung(1);
    await listener?.close();
    await until(sessions, (found) => found.length === 0);
    await database.query('notify bell');
    expect(rings).toBe(1);
  });

  test('can be closed while it connects', async () => {
    begin();
    await listener?.close();
    await until(sessions, (found) => found.length === 0);
    begin('postgres://127.0.0.1:1/none');
    await listener?.close();
  });

  test('comes back when the server does', async () => {
    const server = await startPostgres({ durable: false });
    try {
      begin(server.url());
      await rung(1);
      await server.restart();
      await rung(2);
    } finally {
      await listener?.close();
      await server.close();
    }
  });
});
