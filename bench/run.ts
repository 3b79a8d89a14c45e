/** A run of the bench: how large, how often, what was found, and when to stop. */
import type { Figure } from './figure.ts';
import { type Summary, summarise } from './summary.ts';

/** What a run is made with. */
export interface RunOptions {
  /** The sizes, as a share of the full ones: 1, or 0.1 for a quick run. */
  readonly scale: number;
  /** How often each ratio is measured. */
  readonly rounds: number;
  /** Aborted: nothing further is begun. */
  readonly stop: AbortSignal;
  /** Told of progress, a line at a time. */
  readonly say: (line: string) => void;
}

export class Run implements AsyncDisposable {
  readonly rounds: number;
  readonly stop: AbortSignal;
  /** What measurements share; taken down at the end of the run. */
  readonly shared = new AsyncDisposableStack();
  readonly #options: RunOptions;
  readonly #values = new Map<string, { readonly figure: Figure; readonly values: number[] }>();

  constructor(options: RunOptions) {
    this.#options = options;
    this.rounds = options.rounds;
    this.stop = options.stop;
  }

  /** So many rows, people or events at this run's scale; never less than a hundred. */
  size(full: number): number {
    return Math.max(100, Math.round(full * this.#options.scale));
  }

  /** So many seconds: by the root of the scale, since what is too short says nothing; never less than a half. */
  seconds(full: number): number {
    return Math.max(0.5, full * Math.sqrt(Math.min(1, this.#options.scale)));
  }

  say(line: string): void {
    this.stop.throwIfAborted();
    this.#options.say(line);
  }

  /** Numbers from 1 to that of the rounds, saying each. */
  *eachRound(): Generator<number> {
    for (let round = 1; round <= this.rounds; round++) {
      this.say(`round ${round} of ${this.rounds}`);
      yield round;
    }
  }

  /** Notes what a round gave. */
  record(figure: Figure, value: number): void {
    const noted = this.#values.get(figure.name) ?? { figure, values: [] };
    noted.values.push(value);
    this.#values.set(figure.name, noted);
    this.say(`${figure.name} ${Number(value.toPrecision(4))} ${figure.unit}`.trimEnd());
  }

  /** What was found so far, a summary for each figure. */
  get summaries(): readonly Summary[] {
    return [...this.#values.values()].map(({ figure, values }) => summarise(figure, values));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shared.disposeAsync();
  }
}
