import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What figures were measured on; without it they say little. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly system: string;
  readonly node: string;
  readonly slapd: string;
  /** Processes that wanted to run in the minute before. */
  readonly load_before: number;
}

export async function describeMachine(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    slapd: await slapdVersion(),
    load_before: Number(loadavg()[0]?.toFixed(2)),
  };
}

/** As slapd says itself, on standard error; it exits with 1 after that. */
async function slapdVersion(): Promise<string> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` };
  const said = await run('slapd', ['-VV'], { env }).then(
    ({ stderr }) => stderr,
    (error: Error & { stderr?: string }) => error.stderr ?? '',
  );
  return /slapd (\S+)/.exec(said)?.[1] ?? 'unknown';
}
