import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failOver, timelineOf } from '../setup/failover.ts';
import type { Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { createOwnServer, type OwnServer } from './own-server.ts';

describe('a database that fails over', () => {
  let own: OwnServer;
  let registry: Registry;
  beforeAll(async () => {
    own = await createOwnServer();
    registry = own.registry;
  });
  afterAll(() => own.close());

  test.each(['fast', 'immediate'] as const)('(%s) is on another timeline, and is followed there', async (mode) => {
    const daemon = await registry.spawnDaemon();
    await registry.query(
      `insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 100) n on conflict (id) do update set room = '1'`,
    );
    const before = await timelineOf(own.server);
    await registry.calm();
    // What a commit that is lost now had done: the entry is ahead of the link.
    await registry.directory.modify(
      `dn: uid=p7,ou=people,${registry.directory.suffix}\nchangetype: modify\nreplace: roomNumber\nroomNumber: ahead\n`,
    );
    await failOver(own.server, mode);
    const after = await timelineOf(own.server);
    expect(after).toBeGreaterThan(before);
    await registry.query(`update registry.person set room = $1 where id <> 7`, [mode]);
    await until(
      () =>
        registry.query<{ timeline: number; owed: number }>(
          'select timeline, (select sum(reconcile) from staffetta.route)::int as owed from staffetta.installation',
        ),
      ([row]) => row?.timeline === after && row.owed === 0,
      { what: 'that every link was compared with the directory', patience: 60_000 },
    );
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
    await until(
      () => daemon.printed.stderr,
      (text) => text.split('"connected to the database"').length > 2,
      { what: 'that the daemon connects again' },
    );
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });
});
