import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiled } from './compiled.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** A command of Staffetta in a process of its own. */
export interface Process {
  readonly child: ChildProcess;
  /** What it printed so far. */
  readonly printed: { stdout: string; stderr: string };
  /** Resolves when it has ended, with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts `staffetta ARGS` in an environment of nothing but PATH and `env`. `node`: further arguments of Node itself. */
export function spawnStaffetta(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  node: readonly string[] = [],
): Process {
  const child = spawn(process.execPath, [...node, cli, ...args], {
    env: { NODE_COMPILE_CACHE: compiled, ...env, PATH: process.env.PATH },
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
  return { child, printed, ended };
}
