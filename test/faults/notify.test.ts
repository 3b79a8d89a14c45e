import { afterEach, describe, expect, test } from 'vitest';
import { parkedLock } from '../../src/capture/trigger.ts';
import { createDatabase } from '../setup/database.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { type DatabaseProxy, openDatabaseProxy } from './database-proxy.ts';

describe('the poll finds everything', () => {
  let registry: Registry;
  let proxy: DatabaseProxy | undefined;
  afterEach(async () => {
    await registry.close();
    await proxy?.close();
    proxy = undefined;
  });

  /** Each change is made when the drainer sleeps: nothing but the bell or the poll could wake it. */
  const followed = async () => {
    await registry.spawnDaemon();
    for (const room of ['one', 'two']) {
      await registry.query(
        `insert into registry.person (id, uid, room) select n, 'p' || n, $1 from generate_series(1, 20) n on conflict (id) do update set room = $1`,
        [room],
      );
      await registry.query(`delete from registry.person where id = 7`);
      await registry.calm();
      expect(await registry.differences()).toEqual([]);
      await until(
        () =>
          registry.query(
            `select from pg_locks where locktype = 'advisory' and objid = $1 and granted and mode = 'ExclusiveLock'
               and database = (select oid from pg_database where datname = current_database())`,
            [parkedLock],
          ),
        (parked) => parked.length === 1,
      );
    }
  };

  test('where notifications are sent and none arrives', async () => {
    const database = await createDatabase();
    proxy = await openDatabaseProxy(database.url, { deaf: true });
    registry = await createRegistry({ database: { ...database, url: proxy.url } });
    await followed();
  });

  test('where none is sent, because the sources say `notify: false`', async () => {
    registry = await createRegistry();
    await registry.configure([
      'registry.person: id, registry.email: person_id',
      'registry.person: { key: id, notify: false }, registry.email: person_id',
    ]);
    await registry.apply();
    expect(await registry.query(`select notify from staffetta.source where source = 'registry.person'`)).toEqual([
      { notify: false },
    ]);
    await followed();
  });
});
