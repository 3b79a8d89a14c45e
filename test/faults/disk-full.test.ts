import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { createOwnServer, type OwnServer } from './own-server.ts';
import { createSmallDisk, type SmallDisk } from './small-disk.ts';

describe('where the disk of the database is full', () => {
  let disk: SmallDisk;
  let own: OwnServer;
  let registry: Registry;

  beforeAll(async () => {
    disk = await createSmallDisk(200);
    own = await createOwnServer({ durable: true, settings: { max_wal_size: '32MB' }, folder: disk.path });
    registry = own.registry;
  });
  afterAll(async () => {
    await own?.close();
    await disk?.close();
  });

  /** Writes until it is refused, with next to no room left. Answers with the error and with what was committed last. */
  const write = async (more: string) => {
    const application = await connect(registry.url);
    let committed: string | null = null;
    try {
      await disk.fill(1);
      for (let round = 1; ; round++) {
        await application.query('update registry.person set room = $1', [String(round)]);
        committed = String(round);
        await application.query(more);
      }
    } catch (error) {
      return { error, committed };
    } finally {
      await application.end();
    }
  };
  /** There is room again. */
  const recovers = async (committed: string | null) => {
    // The server may have fallen over its log, and be reading it again.
    const [{ room } = { room: null }] = await until(
      () =>
        registry
          .query<{ room: string | null }>('select min(room::int)::text as room from registry.person')
          .catch(() => []),
      (rows) => rows.length > 0,
      { what: 'that the server answers' },
    );
    expect(Number(room)).toBeGreaterThanOrEqual(Number(committed));
    await registry.query('delete from registry.email');
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const start = async () => {
    const daemon = await registry.spawnDaemon();
    await registry.query(
      `insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 100) n on conflict (id) do update set room = null`,
    );
    await registry.calm();
    return daemon;
  };

  test('no row can be added: PostgreSQL says so to the application; with room again, what it committed arrives', async () => {
    const daemon = await start();
    const { error, committed } = await write(
      `insert into registry.email select id, repeat(md5(random()::text), 60) from registry.person`,
    );
    expect(error).toMatchObject({ code: '53100' });
    await disk.free();
    await recovers(committed);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  test('the log can grow no further and the server falls: the daemon says so, and goes on when it stands again', async () => {
    const daemon = await start();
    const { committed } = await write('select pg_switch_wal()');
    await until(
      () => daemon.printed.stderr,
      (text) => text.includes('the database cannot be used at present'),
    );
    await disk.free();
    await own.server.restart('immediate');
    await recovers(committed);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });
});
