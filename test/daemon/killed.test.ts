import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openProxy, type TcpProxy } from '../convergence/proxy.ts';
import { createRegistry, type Process, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

/** Milliseconds in which everything has arrived, though claims last for 60 seconds. */
const soon = 25_000;

describe('a daemon that is killed in the middle of its operations', { timeout: 60_000 }, () => {
  let registry: Registry;
  let proxy: TcpProxy;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm(soon);
    expect(await registry.differences()).toEqual([]);
  };

  beforeEach(async () => {
    registry = await createRegistry();
    proxy = await openProxy(registry.directory.url);
    Object.assign(registry.env, { LDAP_URL: proxy.url });
    await registry.configure(['timeout: 3s', 'timeout: 3s\n    batch: 10']); // so that each has its share
    await registry.apply();
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 60) n`);
    await query(`insert into registry.team values (1, 'all')`);
    await query('insert into registry.member select 1, n from generate_series(1, 60) n');
  });
  afterEach(async () => {
    await registry.close();
    await proxy.close();
  });

  /** Kills it while the directory has done what the daemon has not been told yet. */
  async function kill({ child, ended }: Process): Promise<void> {
    proxy.delay = 500;
    await query(`update registry.person set uid = 'q' || id, room = '7' where id <= 30`);
    await query('delete from registry.person where id > 50');
    await query(`insert into registry.person (id, uid) select n, 'r' || n from generate_series(61, 90) n`);
    const own = () =>
      query(
        `select count(*)::int as claims from staffetta.delivery d join staffetta.instance i on i.instance = d.claimed_by where i.pid = $1`,
        [child.pid],
      );
    await until(
      () => registry.directory.entries('(|(uid=q*)(uid=r*))'),
      (done) => done.size > 0,
    );
    await until(
      () => {
        child.kill('SIGSTOP');
        return own();
      },
      ([row]) => row?.claims > 0 || !child.kill('SIGCONT'),
    );
    child.kill('SIGKILL');
    await ended;
    proxy.cut();
    proxy.delay = 0;
    const [lease] = await query(
      `select min(lease_until) > clock_timestamp() + interval '30 seconds' as long from staffetta.delivery where token is not null`,
    );
    expect(lease?.long).toBe(true);
  }

  test('has another go on within seconds, and nothing is there twice', async () => {
    await registry.start();
    await arrived();
    const killed = await registry.spawnDaemon();
    await until(
      () => query(`select count(*)::int as daemons from staffetta.daemon where state = 'running'`),
      ([row]) => row?.daemons === 2,
    );
    await kill(killed);
    await arrived();
    expect(await query('select pid from staffetta.instance')).toEqual([{ pid: process.pid }]);
    expect(await query('select * from graphile_worker.jobs where attempts >= max_attempts')).toEqual([]);
  });

  test('goes on within seconds when it is started again', async () => {
    const first = await registry.spawnDaemon();
    await arrived();
    await kill(first);
    const second = await registry.spawnDaemon();
    expect(second.printed.stderr).toContain('took over from a daemon that is dead');
    await arrived();
    expect(await query('select pid from staffetta.instance')).toEqual([{ pid: second.child.pid }]);
  });

  test('is followed by a `run --once` just so', async () => {
    const first = await registry.spawnDaemon();
    await arrived();
    await kill(first);
    const once = registry.spawn('run', '--once');
    expect(await once.ended).toBe(0);
    expect(await registry.differences()).toEqual([]);
    expect(await query('select pid from staffetta.instance')).toEqual([]);
  });
});

describe('a daemon that is alive', { timeout: 60_000 }, () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  beforeEach(async () => {
    registry = await createRegistry();
  });
  afterEach(() => registry.close());

  test('is not taken for dead while it is stopped: its claims stay its own', async () => {
    const { child, printed } = await registry.spawnDaemon();
    await registry.directory.kill('SIGSTOP');
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    const claims = () => query('select token, lease_until from staffetta.delivery where claimed_by is not null');
    const [claimed] = await until(claims, (rows) => rows.length === 1);
    child.kill('SIGSTOP');
    await registry.directory.kill('SIGCONT');
    await query(`update staffetta.instance set beat_at = clock_timestamp() - interval '1 hour'`);
    const other = await registry.spawnDaemon(); // looks before it is at work
    expect(other.printed.stderr).not.toContain('took over');
    expect(await claims()).toEqual([claimed]);
    child.kill('SIGCONT');
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
    expect(printed.stderr).not.toContain('"level":50');
  });

  test('is not taken for dead when the session is cut by which others see it', async () => {
    const { child } = await registry.spawnDaemon();
    await query(`update staffetta.instance set machine = 'elsewhere', started_at = '2000-01-01'`);
    const line = `application_name = 'staffetta life line' and datname = current_database()`;
    const before = await query(`select pid from pg_stat_activity where ${line}`);
    expect(before).toHaveLength(1);
    await query(`select pg_terminate_backend(pid) from pg_stat_activity where ${line}`);
    const other = await registry.spawnDaemon();
    expect(other.printed.stderr).not.toContain('took over');
    await until(
      () => query(`select count(*)::int as lines from pg_stat_activity where ${line}`),
      ([row]) => row?.lines === 2,
    );
    const [same] = await query(
      `select started_at < now() - interval '1 year' as same from staffetta.instance where pid = $1`,
      [child.pid],
    );
    expect(same).toEqual({ same: true });
  });
});
