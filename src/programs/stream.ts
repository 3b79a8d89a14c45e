/**
 * A program that is kept: it reads one line of JSON for each request and answers with one, in turn. Lines that are no
 * answer are its log. One that ends, is too slow or prints too much is ended, and started again for the
 * next request.
 *
 * asleep → (first request) started → asked ⇄ answered → ended → asleep
 */
import type { Exit } from './exit.ts';
import { type Child, end, type ProcessOptions, start } from './process.ts';
import type { Program } from './program.ts';

/** So much of what a program last printed on standard error is kept for messages, in characters. */
const lastWords = 4096;

/** Milliseconds that a program has to end by itself when it is given nothing more. */
const farewell = 1000;

export class Stream {
  readonly #program: Program;
  readonly #options: ProcessOptions;
  readonly #isAnswer: (line: string) => boolean;
  #child: Child | undefined;
  /** Takes the answer that is waited for. */
  #answer: ((exit: Exit) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #line = '';
  #stderr = '';
  /** Bytes printed since the last request. */
  #printed = 0;

  /** `isAnswer`: whether a line is an answer, and not a line of a log. */
  constructor(program: Program, options: ProcessOptions, isAnswer: (line: string) => boolean) {
    this.#program = program;
    this.#options = options;
    this.#isAnswer = isAnswer;
  }

  /**
   * One request after the other. `begin` is called when its turn has come, and tells when to give it up: what is aborted
   * by then was not reached.
   */
  async ask(input: string, begin: () => AbortSignal): Promise<Exit> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = before.then(() => promise);
    try {
      await before;
      const signal = begin();
      if (signal.aborted) return this.#exit(null, null, '', 'not reached');
      return await this.#exchange(input, signal);
    } finally {
      resolve();
    }
  }

  /** Gives it nothing more to read, and ends it if that does not. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, farewell);
    child.once('close', resolve);
    child.stdin.end();
    await promise;
    clearTimeout(timer);
    end(child);
  }

  async #exchange(input: string, signal: AbortSignal): Promise<Exit> {
    const { promise, resolve } = Promise.withResolvers<Exit>();
    const child = this.#awake();
    this.#answer = resolve;
    this.#printed = 0;
    const abort = (): void => this.#give(child, 'too slow');
    signal.addEventListener('abort', abort, { once: true });
    child.stdin.write(`${input}\n`);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#answer = undefined;
    }
  }

  #awake(): Child {
    if (this.#child) return this.#child;
    const child = start(this.#program, this.#options);
    this.#child = child;
    this.#line = '';
    this.#stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(child, text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-lastWords);
      this.#count(child, text);
    });
    child.on('error', (error) => this.#lose(child, this.#exit(null, null, '', 'not started', error.message)));
    child.on('close', (code, by) => this.#lose(child, this.#exit(code, by, this.#line)));
    return child;
  }

  #read(child: Child, text: string): void {
    if (child !== this.#child) return;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) if (this.#isAnswer(line)) this.#answer?.(this.#exit(0, null, line));
    this.#count(child, text);
  }

  #count(child: Child, text: string): void {
    this.#printed += Buffer.byteLength(text);
    if (this.#printed > this.#options.maxOutput) this.#give(child, 'too much output');
  }

  /** Gives a program up, and with it the answer. */
  #give(child: Child, why: NonNullable<Exit['why']>): void {
    this.#lose(child, this.#exit(null, 'SIGKILL', '', why));
    end(child);
  }

  #lose(child: Child, exit: Exit): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#answer?.(exit);
  }

  #exit(code: number | null, signal: string | null, stdout: string, why?: Exit['why'], reason?: string): Exit {
    return { code, signal, stdout, stderr: this.#stderr, ...(why && { why }), ...(reason !== undefined && { reason }) };
  }
}
