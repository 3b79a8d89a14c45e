/** The administrator's place of work at a college: a terminal, a psql, and the machine that Staffetta runs on. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiled } from '../setup/compiled.ts';
import { type Process, spawnStaffetta } from '../setup/process.ts';
import { until } from '../setup/until.ts';
import type { College } from './college.ts';
import type { Stage } from './page.ts';
import { runSql } from './psql.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface Desk extends Stage {
  close(): Promise<void>;
}

const reloaded = 'the configuration was read again';

/** Nothing that a daemon is at, or could be at. */
const owed = `
  select (select count(*) from staffetta.event) as events, (select sum(rescan + reconcile) from staffetta.route) as comparisons,
    (select count(*) from staffetta.delivery d join staffetta.target t using (target)
     where t.state = 'active' and d.state in ('pending', 'waiting') and d.due_at < 'infinity') as deliveries
  where exists (select from staffetta.daemon where state = 'running')`;

export async function createDesk(college: College): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-desk-'));
  const file = join(folder, 'staffetta.yml');
  const programs = join(folder, '.programs');
  await mkdir(programs);
  await writeFile(join(programs, 'staffetta'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  await chmod(join(programs, 'staffetta'), 0o700);
  await writeFile(join(folder, '.ldap-password'), college.directory.bind.password, { mode: 0o600 });
  const { url, suffix } = college.directory;
  const env = {
    ...college.env,
    PATH: `${programs}:${process.env.PATH}`,
    NODE_COMPILE_CACHE: compiled,
    HOME: folder,
    SUDO_USER: 'carla',
    LDAPURI: url,
    LDAPBASE: suffix,
  };
  let daemon: Process | undefined;

  /** The pause that a person makes before the next command: the daemons have done what there is to do. */
  const breathe = async () => {
    if (!daemon) return;
    const owner = await college.session('postgres');
    await until(
      async () => (await owner.query<Record<string, string>>(owed)).rows,
      ([row]) => row === undefined || Object.values(row).every((count) => count === '0'),
      { what: 'that nothing is owed', patience: 60_000 },
    );
  };
  /** Waits until the daemon has said something so many times. */
  const says = (text: string, times: number) =>
    until(
      () => daemon?.printed.stderr ?? '',
      (log) => log.split(text).length > times,
      { what: `that the daemon says "${text}"` },
    );
  const machine: Readonly<Record<string, () => Promise<unknown>>> = {
    'systemctl start staffetta': () => {
      daemon = spawnStaffetta(['run', '--config', file], env);
      return says('connected to the database', 1);
    },
    'systemctl reload staffetta': () => {
      const before = (daemon?.printed.stderr ?? '').split(reloaded).length - 1;
      daemon?.child.kill('SIGHUP');
      return says(reloaded, before + 1);
    },
  };

  return {
    write: (configuration) => writeFile(file, configuration),
    execute: async (role, statements) => {
      await breathe();
      await (await college.session(role)).query(statements);
    },
    shell: async (command) => {
      await breathe();
      const service = machine[command];
      if (service) {
        await service();
        return '';
      }
      return new Promise((done) => {
        const child = execFile(
          'sh',
          ['-c', `exec 2>&1\n${command}`],
          { cwd: folder, env, maxBuffer: 2 ** 24 },
          (_, stdout) => done(child.exitCode === 0 ? stdout : `${stdout}[exit code ${child.exitCode}]\n`),
        );
      });
    },
    query: async (statement) => {
      await breathe();
      return runSql(await college.session('carla'), statement);
    },
    close: async () => {
      daemon?.child.kill('SIGTERM');
      await daemon?.ended;
      await rm(folder, { recursive: true });
    },
  };
}
