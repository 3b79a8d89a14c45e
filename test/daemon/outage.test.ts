import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, createRegistry, keepLog, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('a directory that cannot be written', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const state = async (wanted: string) => {
    const [row] = await until(
      () => query('select state, reason from staffetta.status limit 1'),
      ([row]) => row?.state === wanted,
      { what: `that the target is ${wanted}` },
    );
    return String(row?.reason);
  };
  const people = (first: number, last: number) =>
    query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series($1::int, $2::int) n`, [
      first,
      last,
    ]);
  const attempts = async () =>
    (await query('select sum(attempts)::int as attempts from staffetta.delivery'))[0]?.attempts;

  beforeEach(async () => {
    registry = await createRegistry();
  });
  afterEach(() => registry.close());

  test('because it is down: nobody waits or fails, it says so, and catches up by itself', async () => {
    const told: string[] = [];
    await registry.start({ log: keepLog(told) });
    await people(1, 20);
    await arrived();
    await registry.directory.stop();
    const application = await connect(registry.url);
    await application.query(`set statement_timeout = '2s'`);
    await application.query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(21, 60) n`);
    await application.query(`update registry.person set room = '9' where id <= 20`);
    await application.query('delete from registry.person where id in (5, 6)');
    await application.end();
    expect(await state('waiting')).not.toBe('null');
    await until(
      () => query('select failures from staffetta.target'),
      ([row]) => row?.failures >= 3,
      { what: 'that it is tried again' },
    );
    expect(await attempts()).toBe(0);
    expect(await query(`select failure, what_to_do from staffetta.failures`)).toEqual([
      { failure: 'target waiting', what_to_do: expect.stringContaining('staffetta ping directory') },
    ]);
    await registry.directory.start();
    await arrived();
    await state('active');
    expect(told.some((line) => line.includes('not sent anything'))).toBe(true);
  });

  test('because it was killed while it was being written', async () => {
    await registry.start();
    await people(1, 400);
    await until(
      () => query(`select count(*)::int as links from staffetta.link`),
      ([row]) => row?.links > 0,
    );
    await people(401, 1200);
    await registry.directory.kill('SIGKILL');
    await state('waiting');
    await registry.directory.start();
    await arrived();
  });

  test('because it hangs', async () => {
    await registry.configure(['timeout: 3s', 'timeout: 500ms']);
    await registry.apply();
    await registry.start();
    await people(1, 5);
    await arrived();
    await registry.directory.kill('SIGSTOP');
    await people(6, 10);
    await state('waiting');
    await registry.directory.kill('SIGCONT');
    await arrived();
  });

  test('because its password is wrong: it is not tried again until a person says so', async () => {
    await people(1, 3);
    await registry.configure([`password: "\${LDAP_PASSWORD}"`, 'password: "mistaken"']);
    await registry.apply();
    const daemon = await registry.start();
    const reason = await state('quarantined');
    expect(reason).not.toContain('mistaken');
    await people(4, 6);
    await query('select staffetta.sweep()');
    await until(
      () => query('select count(*)::int as owed from staffetta.delivery'),
      ([row]) => row?.owed === 6,
    );
    expect(await attempts()).toBe(0);
    const [failure] = await query(`select failure, what_to_do from staffetta.failures`);
    expect(failure).toMatchObject({
      failure: 'target quarantined',
      what_to_do: expect.stringContaining('staffetta.retry'),
    });
    await daemon.stop();
    await registry.configure();
    await registry.apply();
    await registry.start();
    await state('quarantined');
    await query(`select staffetta.retry('directory')`);
    await arrived();
    await state('active');
  });

  test('because an administrator paused it: nothing is attempted until it is resumed', async () => {
    let attempted = 0;
    await registry.start({ settled: () => attempted++ });
    await people(1, 3);
    await arrived();
    await query(`select staffetta.pause('directory', 'maintenance')`);
    attempted = 0;
    await people(4, 8);
    await query(`select staffetta.replay('person', '1')`);
    await query('select staffetta.sweep()');
    await until(
      () =>
        query(
          'select count(*)::int as owed, (select count(*) from staffetta.event)::int as events from staffetta.delivery',
        ),
      ([row]) => row?.owed === 6 && row?.events === 0,
    );
    // The sweep is over when its job is: it has kicked every pump.
    await until(
      () =>
        query(`select count(*)::int as jobs from graphile_worker.jobs where task_identifier in ('sweep', 'deliver')`),
      ([row]) => row?.jobs === 0,
    );
    expect(attempted).toBe(0);
    expect(await state('paused')).toContain('maintenance');
    await query(`select staffetta.resume('directory')`);
    await arrived();
  });
});
