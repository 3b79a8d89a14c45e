import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../setup/database.ts';
import { createRegistry, type Process, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { type DatabaseProxy, openDatabaseProxy } from './database-proxy.ts';

/** Megabytes of memory that a process has ever had at once. */
async function peakOf({ child }: Process): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

describe('a daemon that was cut off from its database', () => {
  let proxy: DatabaseProxy;
  let registry: Registry;
  beforeAll(async () => {
    const database = await createDatabase();
    proxy = await openDatabaseProxy(database.url);
    registry = await createRegistry({
      database: { ...database, url: `${proxy.url}?query_timeout=1000&connect_timeout=1` },
    });
  });
  afterAll(async () => {
    await registry.close();
    await proxy.close();
  });

  test('works off 100,000 events without holding them in memory', { timeout: 120_000 }, async () => {
    const daemon = await registry.spawnDaemon();
    await registry.query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 2000) n`);
    await registry.calm();
    const before = await peakOf(daemon);
    proxy.swallow();
    for (let round = 1; round <= 50; round++)
      await registry.query('update registry.person set room = $1, given = $2', [String(round), 'x'.repeat(100)]);
    expect(await registry.query('select count(*)::int as events from staffetta.event')).toEqual([{ events: 100_000 }]);
    await until(
      () => daemon.printed.stderr,
      (text) => text.includes('the database cannot be used at present'),
    );
    proxy.heal();
    await registry.calm(60_000);
    expect(await registry.differences()).toEqual([]);
    const after = await peakOf(daemon);
    expect(after - before).toBeLessThan(100);
  });
});
