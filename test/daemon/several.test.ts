import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('several daemons on one database', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const running = (count: number) =>
    until(
      () => query(`select count(*)::int as daemons from staffetta.daemon where state = 'running'`),
      ([row]) => row?.daemons === count,
      { what: `that ${count} daemons run` },
    );

  beforeEach(async () => {
    registry = await createRegistry();
    await registry.configure(['timeout: 3s', 'timeout: 500ms\n    slots: 4\n    batch: 20']);
    await registry.apply();
    await query('update staffetta.parameter set minimum = 0, number = 2 where code = $1', ['LEASE_SECONDS']);
  });
  afterEach(() => registry.close());

  test('share the work, and deliver each state once and without errors', async () => {
    const done = [0, 0];
    for (const index of [0, 1])
      await registry.start({
        settled: (_, outcomes) => {
          done[index] = (done[index] ?? 0) + outcomes.filter(({ outcome }) => outcome === 'done').length;
        },
      });
    registry.spawn('run');
    await running(3);
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(0, 99) n`);
    await query(`insert into registry.team select n, 't' || n from generate_series(1, 5) n`);
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(registry.url)));
    const changes = new Map<number, number>();
    await Promise.all(
      clients.map(async (client, index) => {
        for (let n = 0; n < 120; n++) {
          const id = (n * 7 + index * 13) % 100;
          changes.set(id, (changes.get(id) ?? 0) + 1);
          await client.query('update registry.person set surname = $2 where id = $1', [id, `S${index}-${n}`]);
          if (n % 10 === 0)
            await client.query('insert into registry.member values ($1, $2) on conflict do nothing', [(n % 5) + 1, id]);
        }
      }),
    );
    await Promise.all(clients.map((client) => client.end()));
    await registry.calm();
    expect(await registry.differences()).toEqual([]);

    expect(await query(`select * from staffetta.journal where result <> 'done' or error_kind is not null`)).toEqual([]);
    const writes = await query(
      `select key, count(*)::int as writes from staffetta.journal where entity = 'person' group by key`,
    );
    for (const { key, writes: count } of writes)
      expect(count, `person ${key}`).toBeLessThanOrEqual(1 + (changes.get(Number(key)) ?? 0));
    const [all] = await query(`select count(*)::int as writes from staffetta.journal`);
    expect(done[0]).toBeGreaterThan(0);
    expect(done[1]).toBeGreaterThan(0);
    // Not every delivery is worth a row of the journal, so that the process's share is at least this.
    expect(all?.writes).toBeGreaterThan(0);
  });

  test('finish what one of them left when it was killed', async () => {
    const { child, ended } = registry.spawn('run');
    await running(1);
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 100) n`);
    await registry.calm();
    await registry.directory.kill('SIGSTOP'); // so that it is killed in the middle
    await query(`update registry.person set uid = 'q' || id where id <= 50`);
    await query('delete from registry.person where id > 50');
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(101, 120) n`);
    await until(
      () => query('select count(*)::int as claimed from staffetta.delivery where token is not null'),
      ([row]) => row?.claimed > 0,
    );
    child.kill('SIGKILL');
    await ended;
    await registry.directory.kill('SIGCONT');
    const [left] = await query('select count(*)::int as claimed from staffetta.delivery where token is not null');
    expect(left?.claimed).toBeGreaterThan(0);
    await registry.start();
    await registry.start();
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });
});
