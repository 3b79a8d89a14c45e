import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const satisfies readonly NodeJS.Signals[];

/**
 * Ctrl-C (SIGINT), SIGTERM or a closed terminal (SIGHUP), as an AbortSignal. The first one asks for an orderly end; a
 * second one ends the process as if nobody listened.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  #exitCode: number | undefined;

  constructor() {
    for (const name of signals) process.on(name, this.#interrupt);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What a program that is ended by the signal exits with, such as 130 for Ctrl-C; undefined while there was none. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  readonly #interrupt = (name: NodeJS.Signals): void => {
    this[Symbol.dispose]();
    this.#exitCode = 128 + constants.signals[name];
    this.#controller.abort();
  };

  /** Listens no longer. */
  [Symbol.dispose](): void {
    for (const name of signals) process.off(name, this.#interrupt);
  }
}
