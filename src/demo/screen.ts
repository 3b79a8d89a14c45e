/** What the demo shows: a line for each thing it has done, on a terminal also what it is about to do. */
import { styleText } from 'node:util';
import { SingleBar } from 'cli-progress';
import { formatDuration } from './duration.ts';

/** Standard output, or standard error where standard output is for a program to read. */
type Stream = typeof process.stdout | typeof process.stderr;

/** What a step did, if it has more to say than its title. */
interface Done {
  readonly note?: string;
  /** How long it took, in milliseconds, where that is not the time until it returned. */
  readonly ms?: number;
}

export class Screen {
  readonly #stream: Stream;
  readonly #stop: AbortSignal;

  /** @param stop aborted: no further step begins */
  constructor(stream: Stream, stop: AbortSignal) {
    this.#stream = stream;
    this.#stop = stop;
  }

  line(text = ''): void {
    this.#stream.write(`${text}\n`);
  }

  style(format: Parameters<typeof styleText>[0], text: string): string {
    return styleText(format, text, { stream: this.#stream });
  }

  /** Does something and then says what it was and how long it took. */
  async step<T extends Done>(title: string, work: () => Promise<T>): Promise<T> {
    this.#stop.throwIfAborted();
    const started = performance.now();
    if (this.#stream.isTTY) this.#stream.write(this.#mark('dim', '·', '', `${title} …`));
    try {
      const done = await work();
      const time = formatDuration(done.ms ?? performance.now() - started);
      this.#over(this.#mark('green', '✓', time, done.note ? `${title}: ${done.note}` : title));
      return done;
    } catch (error) {
      this.#over(this.#mark('red', '✗', formatDuration(performance.now() - started), title));
      throw error;
    }
  }

  /** Shows how far something has come: a bar on a terminal, elsewhere a line for each quarter. */
  progress(total: number): Progress {
    if (this.#stream.isTTY) return new Bar(this.#stream, total);
    return new Quarters(total, (text) => this.line(this.#mark('dim', '·', '', text)));
  }

  #mark(colour: 'dim' | 'green' | 'red', sign: string, time: string, text: string): string {
    return `${this.style(colour, sign)} ${time.padStart(6)}  ${text}`;
  }

  /** Replaces the line that said what was about to be done. */
  #over(line: string): void {
    this.line(this.#stream.isTTY ? `\r\x1b[K${line}` : line);
  }
}

/** How far something has come. */
export interface Progress {
  update(done: number): void;
  end(): void;
}

class Bar implements Progress {
  readonly #bar: SingleBar;

  constructor(stream: Stream, total: number) {
    const format = '·         {bar} {value} of {total} entries';
    this.#bar = new SingleBar({
      format,
      stream,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      clearOnComplete: true,
      // Ctrl-C is for the demo to notice.
      gracefulExit: false,
    });
    stream.write('\r\x1b[K');
    this.#bar.start(total, 0);
  }

  update(done: number): void {
    this.#bar.update(done);
  }

  end(): void {
    this.#bar.stop();
  }
}

class Quarters implements Progress {
  readonly #total: number;
  readonly #say: (text: string) => void;
  #said = 0;

  constructor(total: number, say: (text: string) => void) {
    this.#total = total;
    this.#say = say;
  }

  update(done: number): void {
    const quarter = Math.floor((4 * done) / this.#total);
    if (quarter <= this.#said || quarter > 3) return;
    this.#said = quarter;
    this.#say(`${done} of ${this.#total} entries`);
  }

  end(): void {}
}
