/**
 * Starts the pumps that have something to do, now and when something becomes due before the next poll. A kick during a
 * kick is one more kick after it.
 */
export class Kicker {
  readonly #kick: () => Promise<number | undefined>;
  readonly #failed: (error: unknown) => void;
  #kicking: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #next: NodeJS.Timeout | undefined;

  /** `kick` starts the pumps and answers with the seconds until it should be called again by itself, if it should. */
  constructor(kick: () => Promise<number | undefined>, failed: (error: unknown) => void) {
    this.#kick = kick;
    this.#failed = failed;
  }

  kick(): void {
    if (this.#kicking !== undefined) {
      this.#again = true;
      return;
    }
    if (this.#stopped) return;
    this.#kicking = this.#once().finally(() => {
      this.#kicking = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.kick();
    });
  }

  /** Kicks no more; resolves when the last kick is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#kicking;
    clearTimeout(this.#next);
  }

  async #once(): Promise<void> {
    try {
      const seconds = await this.#kick();
      clearTimeout(this.#next);
      if (seconds !== undefined && !this.#stopped)
        this.#next = setTimeout(() => this.kick(), Math.max(seconds, 0) * 1000 + 1);
    } catch (error) {
      this.#failed(error);
    }
  }
}
