import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../setup/until.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** A `staffetta demo` in a process and a temporary folder of its own. */
export interface Demonstration {
  readonly child: ChildProcess;
  /** The temporary folder. */
  readonly folder: string;
  /** What it printed so far. */
  readonly printed: { stdout: string; stderr: string };
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Waits until standard output holds a text. */
  shows(text: RegExp): Promise<void>;
  /** Files and programs that outlive it. */
  leftBehind(): Promise<string[]>;
  close(): Promise<void>;
}

export async function demonstrate(...args: readonly string[]): Promise<Demonstration> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-test-'));
  // As root, PostgreSQL runs as another user.
  await chmod(folder, 0o711);
  const child = spawn(process.execPath, [cli, 'demo', ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  return {
    child,
    folder,
    printed,
    ended,
    shows: async (text) => {
      const look = () => `${printed.stdout}${printed.stderr}${child.exitCode === null ? '' : `exit ${child.exitCode}`}`;
      await until(look, (seen) => text.test(seen), { what: `that it shows ${text}`, patience: 60_000 });
    },
    leftBehind: async () => [...(await readdir(folder)), ...(await programsIn(folder))],
    close: async () => {
      // Whatever it started ends with it.
      child.kill('SIGKILL');
      await ended;
      await until(
        () => programsIn(folder),
        ({ length }) => length === 0,
        { what: 'that nothing runs any more' },
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Command lines of running programs that name a folder. */
async function programsIn(folder: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder));
}
