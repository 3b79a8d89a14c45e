import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type Database } from '../setup/database.ts';
import { createRegistry, type Process, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { type DatabaseProxy, openDatabaseProxy } from './database-proxy.ts';

/** How long an answer is waited for here, so that a test need not wait for as long as it is by default. */
const impatient = '?query_timeout=1000&connect_timeout=1';

describe('connections to the database that go silent without being closed', () => {
  let database: Database;
  let proxy: DatabaseProxy;
  let registry: Registry;
  let daemon: Process;

  beforeEach(async () => {
    database = await createDatabase();
    proxy = await openDatabaseProxy(database.url);
    registry = await createRegistry({ database: { ...database, url: `${proxy.url}${impatient}` } });
    daemon = await registry.spawnDaemon();
    await registry.query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 100) n`);
    await registry.calm();
  });
  afterEach(async () => {
    await registry.close();
    await proxy.close();
  });

  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const noticed = () =>
    until(
      () => daemon.printed.stderr,
      (text) => text.includes('the database cannot be used at present'),
      { what: 'that the daemon notices', patience: 20_000 },
    );

  test('are given up; it connects again when it can, and everything arrives', async () => {
    proxy.swallow();
    await registry.query(`update registry.person set room = 'silent'`);
    await noticed();
    proxy.heal();
    await arrived();
    // What it left open to the silent ones is closed: it does not gather connections.
    await registry.query(`update registry.person set room = 'well'`);
    await arrived();
    await until(
      () => proxy.open,
      (open) => open < 30,
    );
  });

  test('in the middle of a batch: what was sent is settled, or read back by who takes it over', async () => {
    await registry.query(`update staffetta.parameter set number = 6, minimum = 1 where code = 'LEASE_SECONDS'`);
    await registry.directory.kill('SIGSTOP');
    await registry.query(`update registry.person set room = 'middle'`);
    await until(
      () => registry.query('select from staffetta.delivery where token is not null'),
      (claimed) => claimed.length > 0,
    );
    proxy.swallow();
    await registry.directory.kill('SIGCONT');
    await noticed();
    proxy.heal();
    await registry.calm(25_000);
    expect(await registry.differences()).toEqual([]);
  });

  test('do not keep a daemon from being stopped', async () => {
    proxy.swallow();
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });
});
