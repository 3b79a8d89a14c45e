/**
 * A temporary folder, and the servers that live in it, that end with their owner.
 *
 * Every scratch folder has a keeper: a small shell in a session of its own that reads from a pipe only its owner holds.
 * The pipe closes when the owner asks for it (`remove`) or when the owner is gone, however it went: returned, threw,
 * Ctrl-C, SIGTERM, SIGKILL. The keeper then ends the servers recorded in `pids/` and removes the folder. So there is one
 * way to clean up, and it is the one that also works after a crash.
 *
 * The servers too have sessions of their own: Ctrl-C in a terminal reaches the owner, which may still need them to stop.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LaunchError } from './launch-error.ts';

/** Seconds between the keeper's looks at a program that is ending. */
const TICK = 0.02;

const KEEPER = `
folder=$1 tries=$2
read -r _
each() { for file in "$folder"/pids/*; do [ -e "$file" ] && "$@" "\${file##*/}"; done; }
end() { kill -INT "$1"; kill -CONT "$1"; }
finish() { kill -s KILL -- "-$1"; }
wait_for() {
  while kill -0 "$1" && [ "$tries" -gt 0 ]; do tries=$((tries - 1)); sleep ${TICK}; done
}
each end
each wait_for
[ "$tries" -gt 0 ] || each finish
rm -rf -- "$folder"
`;

/** How a program of a scratch folder is started. */
export interface ProgramOptions {
  /** Name of the file in the folder that gets what the program prints. */
  log: string;
  /** Environment variables; nothing else is passed on but PATH. */
  env?: Record<string, string>;
  /** Whom it runs as; default: as the current user. */
  user?: { uid: number; gid: number } | undefined;
}

/** A temporary folder whose programs and files do not outlive their owner. */
export interface Scratch {
  readonly path: string;
  /** Starts a program in the folder. It is ended when the folder is removed or the owner is gone. */
  start(command: string, args: readonly string[], options: ProgramOptions): ChildProcess;
  /** Runs a program to its end. Throws `LaunchError` with what it printed unless it exits with 0. */
  run(command: string, args: readonly string[], options: ProgramOptions): Promise<void>;
  /** The last lines a program printed. */
  printed(log: string): Promise<string>;
  /** Ends what was started in the folder and removes it; returns when both are done. */
  remove(): Promise<void>;
}

/** Waits until a program has ended; returns at once when it has already, or never started. */
export async function ended(program: ChildProcess): Promise<void> {
  // What could not be started says why, through `error`, in a moment.
  if (program.pid === undefined) return await setImmediate();
  if (program.exitCode !== null || program.signalCode !== null) return;
  program.ref();
  await once(program, 'exit');
}

/**
 * Creates a temporary folder with its keeper.
 *
 * @param name goes into the folder's name: `staffetta-<name>-XXXXXX`
 * @param patience seconds that programs get to end when they are asked to (SIGINT), before they are killed
 */
export async function createScratch(name: string, patience = 10): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `staffetta-${name}-`));
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'staffetta-keeper', path, String(Math.ceil(patience / TICK))], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  if (keeper.stdin instanceof Socket) keeper.stdin.unref();
  const pids = join(path, 'pids');
  // Others may pass through (a server may run as another user) but not look around.
  await chmod(path, 0o711);
  await mkdir(pids, { mode: 0o700 });

  function start(command: string, args: readonly string[], { log, env, user }: ProgramOptions): ChildProcess {
    const output = openSync(join(path, log), 'a', 0o600);
    const program = spawn(command, args, {
      cwd: path,
      detached: true,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...env },
      stdio: ['ignore', output, output],
      ...user,
    });
    closeSync(output);
    // A program that cannot be started says so through `exit` or `error`; without a listener the latter would be thrown.
    program.on('error', (error) => writeFileSync(join(path, log), `${error.message}\n`, { flag: 'a' }));
    if (program.pid !== undefined) {
      const record = join(pids, String(program.pid));
      writeFileSync(record, '');
      program.once('exit', () => rmSync(record, { force: true }));
    }
    program.unref();
    return program;
  }

  async function printed(log: string): Promise<string> {
    const text = await readFile(join(path, log), 'utf8').catch(() => '');
    return text.trim().split('\n').slice(-10).join('\n');
  }

  async function run(command: string, args: readonly string[], options: ProgramOptions): Promise<void> {
    const program = start(command, args, options);
    await ended(program);
    if (program.exitCode !== 0) {
      throw new LaunchError(
        `${command} did not do its work (${outcome(program)}). It says:\n${await printed(options.log)}`,
      );
    }
  }

  async function remove(): Promise<void> {
    keeper.stdin.end();
    await ended(keeper);
  }

  return { path, start, run, printed, remove };
}

/** How a program ended, in words. */
export function outcome(program: ChildProcess): string {
  if (program.pid === undefined) return 'could not be started';
  return program.signalCode ? `ended by ${program.signalCode}` : `exit code ${program.exitCode}`;
}
