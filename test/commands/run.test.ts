import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const people = (first: number, last: number) =>
  `insert into registry.person (id, uid) select n, 'p' || n from generate_series(${first}, ${last}) n`;

describe('staffetta run', () => {
  let registry: Registry;
  const query = (sql: string) => registry.query(sql);
  const claimed = async () =>
    (await query('select count(*)::int as claimed from staffetta.delivery where token is not null'))[0]?.claimed;
  const running = () =>
    until(
      () => query(`select count(*)::int as daemons from staffetta.daemon where state = 'running'`),
      ([row]) => row?.daemons === 1,
    );

  beforeEach(async () => {
    registry = await createRegistry();
  });
  afterEach(() => registry.close());

  test.each(['SIGTERM', 'SIGINT'] as const)('gives back what it has not sent and ends on %s', async (signal) => {
    const { child, ended, printed } = registry.spawn('run');
    await running();
    await query(people(1, 3000));
    await until(
      () => query('select count(*)::int as links from staffetta.link'),
      ([row]) => row?.links > 0,
    );
    child.kill(signal);
    child.kill(signal); // as by somebody impatient
    const started = performance.now();
    expect(await ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(printed.stderr).toContain('stopped');
    expect(await claimed()).toBe(0);
    expect(await query('select * from staffetta.instance')).toEqual([]);
    expect(await query('select * from graphile_worker.jobs where locked_at is not null')).toEqual([]);
    await registry.start();
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });

  test('ends on a signal while the directory hangs, once what is in flight has timed out', async () => {
    await query(people(1, 50));
    await registry.directory.kill('SIGSTOP');
    const { child, ended } = registry.spawn('run');
    await until(claimed, (count) => count > 0);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await claimed()).toBe(0);
    await registry.directory.kill('SIGCONT');
    await registry.start();
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });

  test('says where no database answers', async () => {
    Object.assign(registry.env, { DATABASE_URL: 'postgresql://somebody:secret@127.0.0.1:1/registry' });
    const { ended, printed } = registry.spawn('run');
    expect(await ended).toBe(1);
    expect(printed.stderr).toBe(
      'Cannot connect to PostgreSQL at 127.0.0.1:1, database registry as somebody: nothing answers there.\n',
    );
  });
});

describe('staffetta run --once', () => {
  let registry: Registry;
  const query = (sql: string) => registry.query(sql);
  const run = async (...args: string[]) => {
    const { ended, printed } = registry.spawn('run', '--once', ...args);
    return { exitCode: await ended, ...printed };
  };

  beforeAll(async () => {
    registry = await createRegistry();
  });
  afterAll(() => registry.close());

  test('delivers everything that is due, groups and swaps included, and ends with 0', async () => {
    await query(people(1, 300));
    await query(`insert into registry.team select n, 'team ' || n from generate_series(1, 20) n`);
    await query('insert into registry.member select n % 20 + 1, n from generate_series(1, 300) n');
    expect(await run()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^3\d\d delivered, 0 still to be delivered, 0 parked\n$/),
    });
    expect(await registry.differences()).toEqual([]);
    await query(`update registry.person set uid = 'p' || case when id % 2 = 0 then id - 1 else id + 1 end`);
    await query('delete from registry.person where id > 290');
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(await registry.differences()).toEqual([]);
  });

  test('has nothing to do the second time', async () => {
    expect(await run()).toMatchObject({ exitCode: 0, stdout: '0 delivered, 0 still to be delivered, 0 parked\n' });
  });

  test('ends with 1 while the directory is down and work remains, and with 0 when that is done', async () => {
    await registry.directory.stop();
    await query(people(301, 310));
    const down = await run();
    expect(down).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('10 still to be delivered') });
    expect(down.stderr).toContain('not sent anything');
    await registry.directory.start();
    expect(await run()).toMatchObject({ exitCode: 0 }); // tries the waiting target at once, whatever its pause
    expect(await registry.differences()).toEqual([]);
  });

  test('answers with JSON', async () => {
    await query(`insert into registry.person (id, uid) values (401, 'json'), (402, null)`);
    const { exitCode, stdout } = await run('--json');
    expect({ exitCode, answer: JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      answer: { done: 1, remaining: 0, unpublished: 0, parked: 1 },
    });
    await query('delete from registry.person where id = 402');
    await run();
  });

  test('owes the rescan of a paused target, and says nothing is left to be delivered', async () => {
    await query(`select staffetta.pause('directory')`);
    await query(people(501, 503));
    expect(await run()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('0 delivered') });
    await query(`select staffetta.resume('directory')`);
    expect(await run()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('3 delivered') });
    expect(await registry.differences()).toEqual([]);
  });
});
