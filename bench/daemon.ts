import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createScratch, ended, outcome, type Scratch } from '../src/demo/scratch.ts';
import { peakOf, processorTimeOf } from './process-usage.ts';

/** The command `staffetta`. */
export const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

const log = 'daemon.log';

/** `staffetta run` as a process of its own, as it is in production. */
export class Daemon {
  readonly #process: ChildProcess;
  readonly #scratch: Scratch;
  #stopping = false;

  private constructor(process: ChildProcess, scratch: Scratch) {
    this.#process = process;
    this.#scratch = scratch;
  }

  /** Starts one, and resolves when it is at work; it is gone when `stack` is disposed of. */
  static async start(
    stack: AsyncDisposableStack,
    config: string,
    env: Readonly<Record<string, string>>,
  ): Promise<Daemon> {
    const scratch = await createScratch('daemon');
    stack.defer(() => scratch.remove());
    const started = scratch.start(process.execPath, [cli, 'run', '--config', config], { log, env });
    const daemon = new Daemon(started, scratch);
    while (!(await scratch.printed(log)).includes('"running"')) {
      await daemon.check();
      await setTimeout(20);
    }
    return daemon;
  }

  /** Throws with what it said if it has ended by itself. */
  async check(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (this.#stopping || (pid !== undefined && exitCode === null && signalCode === null)) return;
    const said = await this.#scratch.printed(log);
    throw new Error(`the daemon did not go on (${outcome(this.#process)}). It says:\n${said}`);
  }

  /** The most memory that it took so far, in MiB. */
  get peakMib(): number {
    return peakOf(this.#process.pid ?? 0) ?? Number.NaN;
  }

  /** Processor time that it has taken, in milliseconds. */
  get processorTime(): number {
    return processorTimeOf(this.#process.pid ?? 0);
  }

  /** Has it finish what is in flight; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#process.kill('SIGTERM');
    await ended(this.#process);
  }
}
