import { SingleBar } from 'cli-progress';

/** How often a line is written where there is no terminal, in milliseconds. */
const pause = 5_000;

/** Shows on standard error how far long work has come: a bar on a terminal, elsewhere a line every few seconds. */
export class Progress {
  readonly #what: string;
  readonly #bar: SingleBar | undefined;
  #said = performance.now();

  /** `total`: how many are expected; there may turn out to be more. */
  constructor(what: string, total: number) {
    this.#what = what;
    if (!process.stderr.isTTY || total === 0) return;
    this.#bar = new SingleBar({
      format: `${what} {bar} {value} of {total}`,
      clearOnComplete: true,
      gracefulExit: false,
    });
    this.#bar.start(total, 0);
  }

  update(done: number): void {
    if (this.#bar) {
      if (done > this.#bar.getTotal()) this.#bar.setTotal(done);
      this.#bar.update(done);
    } else if (performance.now() - this.#said > pause) {
      this.#said = performance.now();
      console.error(`${this.#what}: ${done}`);
    }
  }

  end(): void {
    this.#bar?.stop();
  }
}
