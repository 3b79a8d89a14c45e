import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase } from '../setup/database.ts';
import { createRegistry, keepLog, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const root = new URL('../../', import.meta.url);

describe('a daemon', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };

  beforeEach(async () => {
    registry = await createRegistry();
  });
  afterEach(() => registry.close());

  test('takes nothing while another configuration is applied, says so, and resumes when its own is', async () => {
    const told: string[] = [];
    let settled = 0;
    await registry.start({ log: keepLog(told), settled: () => settled++ });
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await arrived();
    await registry.configure(['roomNumber: { from: room }', 'physicalDeliveryOfficeName: { from: room }']);
    await registry.apply();
    settled = 0;
    await query(`insert into registry.person (id, uid) values (2, 'bruno')`);
    await until(
      () => query('select state, message from staffetta.instance'),
      ([row]) => row?.state === 'refused' && row.message?.includes('another configuration'),
    );
    expect(told.join('')).toContain('another configuration was applied');
    expect(settled).toBe(0);
    expect(await query('select key from staffetta.link')).toEqual([{ key: '1' }]);
    await registry.configure();
    await registry.apply();
    await arrived();
    expect(told.join('')).toContain('this daemon may deliver again');
  });

  // In a process of its own, which an unhandled rejection would end.
  test.each(['staffetta listener', 'staffetta drainer', 'staffetta worker', 'staffetta', 'staffetta%'])(
    'goes on when the connections of %s are lost',
    async (name) => {
      const daemon = await registry.spawnDaemon();
      await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 200) n`);
      for (let round = 1; round <= 4; round++) {
        const killed = await query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like $1',
          [name],
        );
        if (round === 1) expect(killed.length).toBeGreaterThan(0);
        await query('update registry.person set room = $1', [String(round)]);
      }
      await arrived();
      await query(`update registry.person set uid = 'q' || id where id < 10`);
      await arrived();
      daemon.child.kill('SIGTERM');
      expect(await daemon.ended).toBe(0);
    },
  );

  test('leaves nothing open when it is stopped: a script that ran one ends by itself', async () => {
    const script = join(registry.directory.folder, 'script.ts');
    await writeFile(
      script,
      `const { Daemon } = await import('${new URL('src/daemon.ts', root)}');
       const { loadConfig } = await import('${new URL('src/config/load.ts', root)}');
       const { createLog } = await import('${new URL('src/log.ts', root)}');
       const daemon = await Daemon.start(loadConfig('${registry.file}'), { log: createLog('error') });
       await daemon.stop();
       await daemon.stop();
       process.stdout.write('stopped');`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
      env: { ...registry.env },
      timeout: 10_000,
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'stopped', stderr: '' });
    expect(await query('select * from staffetta.instance')).toEqual([]);
    const sessions = `select application_name from pg_stat_activity where datname = current_database() and application_name like 'staffetta%'`;
    await until(
      () => query(sessions),
      (rows) => rows.length === 0,
    );
  });

  test('refuses to start where nothing was applied', async () => {
    const empty = await createDatabase();
    const env = { ...registry.env, DATABASE_URL: empty.url };
    const cli = new URL('src/cli.ts', root).pathname;
    const failure = await promisify(execFile)(process.execPath, [cli, 'run', '--config', registry.file], { env }).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );
    expect(failure?.code).toBe(1);
    expect(failure?.stderr).toContain('staffetta apply');
    expect(failure?.stderr).not.toMatch(/\n\s+at /);
    await empty.drop();
  });
});
