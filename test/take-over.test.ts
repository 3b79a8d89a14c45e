import { randomUUID } from 'node:crypto';
import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LifeLine } from '../src/database/life-line.ts';
import { thisMachine } from '../src/machine.ts';
import { takeOver } from '../src/take-over.ts';
import { createStage, type Stage } from './deliver/stage.ts';
import { until } from './setup/until.ts';

/** No process has this number: it is more than Linux gives out. */
const nobody = 2 ** 22 + 1;

let stage: Stage;
const lines = new Set<LifeLine>();
beforeAll(async () => {
  stage = await createStage();
  await runMigrations({ pgPool: stage.pool });
});
beforeEach(async () => {
  for (const line of lines) await line.close();
  lines.clear();
  await stage.clear();
  await stage.query('delete from staffetta.instance');
  await stage.query('delete from graphile_worker._private_jobs');
});
afterAll(async () => {
  for (const line of lines) await line.close();
  await stage.close();
});

/** A daemon elsewhere (or: here, as process `pid`), whose last heartbeat is so many seconds old, with a claim and a job. */
async function daemon({ machine = 'elsewhere', pid = nobody, age = 0, key = '1' }: Partial<Daemon> = {}) {
  const instance = randomUUID();
  await stage.query(
    `insert into staffetta.instance (instance, host, machine, pid, pool, version, revision, state, beat_at)
     values ($1, 'h', $2, $3, $4, 'v', 'r1', 'running', clock_timestamp() - make_interval(secs => $5))`,
    [instance, machine, pid, `pool-${instance}`, age],
  );
  await stage.query(
    `insert into staffetta.delivery (target, entity, key, token, claimed_rev, claimed_by, lease_until)
     values ('directory', 'person', $2, gen_random_uuid(), 1, $1, clock_timestamp() + interval '1 minute')`,
    [instance, key],
  );
  const [job] = await stage.query(`select id from graphile_worker.add_job('deliver', '{}', max_attempts => 1)`);
  await stage.query(
    'update graphile_worker._private_jobs set attempts = 1, locked_at = now(), locked_by = $2 where id = $1',
    [job?.id, `pool-${instance}`],
  );
  return instance;
}
interface Daemon {
  readonly machine: string | null;
  readonly pid: number;
  readonly age: number;
  readonly key: string;
}

const line = (instance: string) => {
  const opened = new LifeLine(stage.database.url, instance, 5_000);
  lines.add(opened);
  return opened;
};
const claims = () =>
  stage.query(
    `select key, token is not null as token, lease_until > clock_timestamp() as held, claimed_by is not null as claimed
     from staffetta.delivery order by key`,
  );
const held = { key: '1', token: true, held: true, claimed: true };
const freed = { key: '1', token: true, held: false, claimed: false };

describe('a daemon is taken over from', () => {
  test('at once when its process here is no more: its claims can be claimed, as doubtful, and its jobs run again', async () => {
    await daemon({ machine: thisMachine() });
    expect(await takeOver(stage.pool, [])).toEqual({ instances: 1, deliveries: 1, jobs: 1 });
    expect(await claims()).toEqual([freed]);
    expect(await stage.query('select * from staffetta.instance')).toEqual([]);
    expect(await stage.query('select locked_by, attempts from graphile_worker.jobs')).toEqual([
      { locked_by: null, attempts: 0 },
    ]);
    expect((await stage.claim()).deliveries).toMatchObject([{ key: '1', unsure: true }]);
  });

  test('when our own process had its number, before the container was started again', async () => {
    await daemon({ machine: thisMachine(), pid: process.pid });
    expect(await takeOver(stage.pool, [])).toMatchObject({ instances: 1 });
    const ours = await daemon({ machine: thisMachine(), pid: process.pid, key: '2' });
    expect(await takeOver(stage.pool, [ours])).toBeUndefined();
  });

  test('anywhere else when it holds no lock and was silent for as long as it said', async () => {
    const instance = await daemon({ age: 30 });
    await stage.query(`update staffetta.instance set silence = '40 s'`);
    expect(await takeOver(stage.pool, [])).toBeUndefined();
    await stage.query(`update staffetta.instance set silence = '20 s'`);
    const living = line(instance);
    await living.query('select');
    expect(await takeOver(stage.pool, [])).toBeUndefined();
    expect(await claims()).toEqual([held]);
    await living.close();
    await until(
      () => takeOver(stage.pool, []),
      (taken) => taken?.deliveries === 1,
    );
    expect(await claims()).toEqual([freed]);
  });

  test('here when another process has its number by now, once it was silent for as long as it said', async () => {
    await daemon({ machine: thisMachine(), pid: process.ppid, age: 30 });
    expect(await takeOver(stage.pool, [])).toMatchObject({ instances: 1, deliveries: 1 });
  });

  test('once, by whoever is first', async () => {
    for (let n = 1; n <= 20; n += 1) await daemon({ machine: thisMachine(), key: String(n) });
    const taken = await Promise.all(Array.from({ length: 5 }, () => takeOver(stage.pool, []).catch(() => undefined)));
    expect(taken.reduce((sum, one) => sum + (one?.deliveries ?? 0), 0)).toBe(20);
  });

  test('without touching what others have claimed', async () => {
    const living = await daemon({ key: '2' });
    await daemon({ machine: thisMachine() });
    await takeOver(stage.pool, []);
    expect(await claims()).toEqual([freed, { ...held, key: '2' }]);
    expect(await stage.query('select instance from staffetta.instance')).toEqual([{ instance: living }]);
  });
});

describe('a daemon is left alone', () => {
  test.each([
    ['elsewhere with a heartbeat that is not old, though it has lost its lock', { age: 15 }],
    ['here while its process is there', { machine: thisMachine(), pid: process.ppid, age: 15 }],
    ['where machines cannot be told apart, as long as its heartbeat is not old', { machine: null }],
  ])('%s', async (_, how) => {
    await daemon(how);
    expect(await takeOver(stage.pool, [])).toBeUndefined();
    expect(await claims()).toEqual([held]);
  });

  test('when its heartbeat comes at the moment at which it is taken for dead', async () => {
    const instance = await daemon({ age: 30 });
    const client = new pg.Client({ connectionString: stage.database.url });
    await client.connect();
    await client.query('begin');
    await client.query('update staffetta.instance set beat_at = clock_timestamp()');
    const taken = stage.query<{ instances: number | null }>(`select instances from staffetta.take_over('{}', $1)`, [
      [instance],
    ]);
    await until(
      () => stage.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`),
      (waiting) => waiting.length === 1,
    );
    await client.query('commit');
    await client.end();
    expect(await taken).toEqual([{ instances: null }]);
    expect(await claims()).toEqual([held]);
  });
});

describe('a life line', () => {
  test('is opened anew, with its lock, when it was cut', async () => {
    const instance = await daemon({ age: 30 });
    const living = line(instance);
    await living.query('select');
    const cut = await stage.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'staffetta life line'`,
    );
    expect(cut).toHaveLength(1);
    await until(
      () =>
        living.query('select').then(
          () => true,
          () => false,
        ),
      (well) => well,
    );
    expect(await takeOver(stage.pool, [])).toBeUndefined();
  });
});
