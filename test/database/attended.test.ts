import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attended } from '../../src/database/attended.ts';
import { Client } from '../../src/database/client.ts';
import { connectionOptions } from '../../src/database/pool.ts';
import { type DatabaseProxy, openDatabaseProxy } from '../faults/database-proxy.ts';
import { createDatabase, type Database } from '../setup/database.ts';

let database: Database;
let proxy: DatabaseProxy;
let client: pg.Client;
beforeAll(async () => {
  database = await createDatabase();
  proxy = await openDatabaseProxy(database.url);
  client = new Client(connectionOptions(`${proxy.url}?connect_timeout=1`, 'attended'));
  client.on('error', () => {});
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await proxy.close();
  await database.drop();
});

test('a statement that the server is at work on may take long; one that it is not is given up', async () => {
  const { query } = await attended(client, database.url);
  // Long enough to be looked after more than once.
  expect((await query('select 1 as n from pg_sleep(5)')).rows).toEqual([{ n: 1 }]);
  proxy.swallow();
  await expect(query('select 2')).rejects.toThrow('Connection terminated');
});
