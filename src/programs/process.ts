/**
 * A program as a process: without a shell unless that is configured, in a process group of its own, so that whatever it
 * started can be ended with it. Nothing of our environment goes to it but PATH and LANG.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Exit } from './exit.ts';
import type { Program } from './program.ts';
import { Warden } from './warden.ts';

export interface ProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly shell: boolean;
  /** The most that it may print, in bytes. */
  readonly maxOutput: number;
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Milliseconds to wait for the end of its output after a program has ended, or was killed: what it left may hold it open. */
const grace = 200;

const warden = new Warden();

/** Starts a program, which ends with this process at the latest; `error` of the child tells where it could not. */
export function start({ file, arguments: given, rest, directory }: Program, { env, shell }: ProcessOptions): Child {
  const { PATH = '/usr/local/bin:/usr/bin:/bin' } = process.env;
  const options = { cwd: directory, env: { PATH, LANG: 'C.UTF-8', ...env }, detached: true, shell: false } as const;
  const [command, words] = shell ? ['/bin/sh', ['-c', `"$0" ${rest}`, file]] : [file, [...given]];
  const child = spawn(command, words, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // it need not read what it is given
  const { pid } = child;
  if (pid !== undefined) {
    warden.began(pid);
    child.on('exit', () => warden.ended(pid));
  }
  return child;
}

/** Ends a program and everything that it started and that did not leave its group. */
export function end({ pid }: Pick<Child, 'pid'>): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody of the group is left
  }
}

/** Runs a program on one input. It is ended when `signal` is aborted, or when it prints too much. */
export async function run(
  program: Program,
  input: string,
  options: ProcessOptions,
  signal: AbortSignal,
): Promise<Exit> {
  if (signal.aborted) return { code: null, signal: null, stdout: '', stderr: '', why: 'not reached' };
  const child = start(program, options);
  const { promise, resolve } = Promise.withResolvers<Exit>();
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let printed = 0;
  let why: Exit['why'];
  let timer: NodeJS.Timeout | undefined;
  const finish = (code: number | null, by: string | null, reason?: string): void => {
    signal.removeEventListener('abort', abort);
    clearTimeout(timer);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    const said = { stdout: textOf(stdout), stderr: textOf(stderr) };
    resolve({ code, signal: by, ...said, ...(why && { why }), ...(reason !== undefined && { reason }) });
  };
  const stop = (because: NonNullable<Exit['why']>): void => {
    why ??= because;
    end(child);
    timer ??= setTimeout(() => finish(null, 'SIGKILL'), grace); // whoever hangs in the kernel dies later
  };
  const abort = (): void => stop('too slow');
  const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
    printed += chunk.length;
    if (printed > options.maxOutput) stop('too much output');
    else chunks.push(chunk);
  };
  signal.addEventListener('abort', abort, { once: true });
  child.stdout.on('data', keep(stdout));
  child.stderr.on('data', keep(stderr));
  child.on('error', (error) => {
    why = 'not started';
    finish(null, null, error.message);
  });
  child.on('exit', (code, by) => {
    timer ??= setTimeout(() => finish(code, by), grace);
    child.on('close', () => finish(code, by));
  });
  child.stdin.end(input);
  return promise;
}

/** Bytes that are no UTF-8 become U+FFFD. */
function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
