import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const root = new URL('../../', import.meta.url).pathname;

describe('two daemons', { timeout: 120_000 }, () => {
  let registry: Registry;
  const processes: ChildProcess[] = [];
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const daemons = (...states: readonly string[]) =>
    until(
      () => query('select state, message from staffetta.daemon order by started_at'),
      (rows) => rows.map(({ state }) => state).join() === states.join(),
      { what: `that the daemons are ${states.join(' and ')}` },
    );
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const insert = (id: number) => query('insert into registry.person (id, uid) values ($1, $2)', [id, `p${id}`]);
  /** Neither delivers anything, though their polls are far more frequent than their heartbeats. */
  const idle = async (id: number) => {
    await insert(id);
    const [now] = await query('select clock_timestamp() as now');
    await until(
      () => query('select from staffetta.instance where beat_at < $1', [now?.now]),
      (silent) => silent.length === 0,
    );
    expect(await query('select key from staffetta.link where key = $1', [String(id)])).toEqual([]);
  };

  beforeEach(async () => {
    registry = await createRegistry();
  });
  afterEach(async () => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    await registry.close();
  });

  test('are upgraded one after the other: the old ones stop at once, and no change is lost meanwhile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'staffetta-next-'));
    for (const part of ['src', 'sql', 'migrations', 'examples', 'package.json'])
      await cp(join(root, part), join(folder, part), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'migrations/9999-next.sql'), 'create table staffetta.next (n int)');
    const command = (...args: string[]) => [join(folder, 'src/cli.ts'), ...args, '--config', registry.file];
    const env = { ...registry.env, PATH: process.env.PATH };
    try {
      const old = await Promise.all([registry.spawnDaemon(), registry.spawnDaemon()]);
      await insert(1);
      await arrived();

      const early = promisify(execFile)(process.execPath, command('run'), { env });
      await expect(early).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^the tables are of an older version .*9999-next.*staffetta apply/),
      });

      await promisify(execFile)(process.execPath, command('apply'), { env });
      const [first] = await daemons('refused', 'refused');
      expect(first?.message).toContain('9999-next');
      for (const { printed } of old) expect(printed.stderr).toContain('newer version of Staffetta (9999-next)');
      await idle(2);
      const late = registry.spawn('run');
      expect(await late.ended).toBe(1);
      expect(late.printed.stderr).toMatch(/^the tables were brought to a newer version .*9999-next/);
      const apply = registry.spawn('apply');
      expect(await apply.ended).toBe(1);
      expect(apply.printed.stderr).toMatch(/^The tables were brought to a newer version .*9999-next/);

      for (const [index, { child, ended }] of old.entries()) {
        child.kill('SIGTERM');
        expect(await ended).toBe(0);
        await insert(10 + index);
        processes.push(spawn(process.execPath, command('run'), { env, stdio: 'ignore' }));
        await daemons(...(index === 0 ? ['refused', 'running'] : ['running', 'running']));
        await arrived();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('follow a new configuration one after the other', async () => {
    const old = await Promise.all([registry.spawnDaemon(), registry.spawnDaemon()]);
    await insert(1);
    await arrived();
    await registry.configure(['timeout: 3s', 'timeout: 4s']);
    await registry.apply();
    const [first] = await daemons('refused', 'refused');
    expect(first?.message).toContain('another configuration was applied');
    await idle(2);
    for (const [index, { child, ended }] of old.entries()) {
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      await insert(10 + index);
      await registry.spawnDaemon();
      await arrived();
    }
    await daemons('running', 'running');
  });
});
