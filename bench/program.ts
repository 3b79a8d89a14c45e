import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { peakOf } from './process-usage.ts';

/** How often the memory of a program is looked at, in milliseconds. */
const interval = 50;

export interface ProgramOptions {
  /** Environment variables; nothing else is passed on but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file that gets what it prints; default: it is kept. `/dev/null` for what nobody wants. */
  readonly output?: string;
  /** Aborted: the program is ended. */
  readonly stop: AbortSignal;
}

/** What became of a program. */
export interface Ran {
  readonly ms: number;
  /** What it printed, unless that went into a file. */
  readonly stdout: string;
  /** The most memory that it was seen to take. */
  readonly peakMib: number;
}

/** Runs a program to its end. Throws with what it said unless it exits with 0. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { env, output, stop }: ProgramOptions,
): Promise<Ran> {
  const file = output === undefined ? undefined : openSync(output, 'w', 0o600);
  const started = performance.now();
  const program = spawn(command, args, {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...env },
    stdio: ['ignore', file ?? 'pipe', 'pipe'],
    signal: stop,
  });
  if (file !== undefined) closeSync(file);
  let [stdout, stderr, peakMib] = ['', '', 0];
  program.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  program.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  const watch = setInterval(() => {
    peakMib = Math.max(peakMib, program.pid === undefined ? 0 : (peakOf(program.pid) ?? 0));
  }, interval);
  try {
    const [code, signal] = await once(program, 'close');
    if (code !== 0) throw new Error(`${command} ended with ${signal ?? code}. It says:\n${stderr || stdout}`);
    return { ms: performance.now() - started, stdout, peakMib };
  } finally {
    clearInterval(watch);
  }
}
