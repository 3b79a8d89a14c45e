/**
 * A hook that is an ES module. It runs in a thread of its own, which is started with the first call, and again after it has
 * ended. A call that takes too long is told so by its `signal`; a thread that does not even hear that is ended.
 *
 * asleep → (first call) started → ready ⇄ calls → ended → asleep
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { EsModuleConfig } from '../config/hooks.ts';
import { readAnswer } from './answer.ts';
import { aosiName } from './aosi.ts';
import { type Call, type Circumstances, HookError, type HookModule, type Said, type Search } from './hook.ts';
import { type FromThread, fromThread, type ToThread } from './wire.ts';

/** Milliseconds in which a thread has to hear that a call was given up. */
const hearing = 500;

/** What a module may hold in memory, in MB. */
const memory = 256;

interface Pending {
  readonly answer: PromiseWithResolvers<string | undefined>;
  readonly search: Search;
  readonly signal: AbortSignal;
}

/** A thread as long as it lives. */
interface Thread {
  readonly worker: Worker;
  readonly ready: PromiseWithResolvers<ReadonlySet<string>>;
  readonly pending: Map<number, Pending>;
  /** Calls that were given up, until it says that it heard so. */
  readonly doubts: Map<number, Doubt>;
}

interface Doubt {
  readonly timer: NodeJS.Timeout;
  /** It has heard, or it was ended. */
  readonly over: PromiseWithResolvers<void>;
}

export class EsModule implements HookModule {
  readonly name: string;
  readonly timeout: number;
  readonly secrets: boolean;
  /** As the configuration writes it. */
  readonly #shown: string;
  readonly #file: string;
  #thread: Thread | undefined;
  #calls = 0;

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: EsModuleConfig, folder: string) {
    this.name = config.name;
    this.timeout = config.timeout;
    this.secrets = config.secrets;
    this.#shown = config.module;
    this.#file = resolve(folder, config.module);
  }

  async modules(): Promise<readonly HookModule[]> {
    return [this];
  }

  async call(call: Call, { begin, search }: Circumstances): Promise<Said | undefined> {
    const signal = begin();
    const thread = await this.#sound(signal);
    const functions = await this.#within(signal, thread.ready.promise);
    const name = [call.function, aosiName(call.function)].find((one) => functions.has(one));
    if (name === undefined) return undefined;
    this.#calls += 1;
    const id = this.#calls;
    const answer = Promise.withResolvers<string | undefined>();
    thread.pending.set(id, { answer, search, signal });
    tell(thread, { say: 'call', id, name, json: JSON.stringify(call) });
    try {
      const json = await this.#within(signal, answer.promise);
      return json === undefined ? { code: 0, msg: '', panic: false } : readAnswer(JSON.parse(json));
    } finally {
      thread.pending.delete(id);
      if (signal.aborted) this.#doubt(thread, id);
    }
  }

  /** What is wrong with its file. */
  async mistakes(): Promise<string[]> {
    try {
      return statSync(this.#file).isFile() ? [] : [`hook ${this.name}: found ${this.#shown}, which is no file`];
    } catch {
      return [`hook ${this.name}: there is no file ${this.#shown}`];
    }
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.worker.terminate();
  }

  async #within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
    const over = Promise.withResolvers<never>();
    const abort = () => over.reject(new HookError(`did not answer within ${this.timeout} ms`));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([promise, over.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** A thread that runs, and hears, says so at once; one that does not is ended, and with it all its calls. */
  #doubt(thread: Thread, id: number): void {
    const timer = setTimeout(() => this.#lose(thread, 'was ended: it hung'), hearing);
    thread.doubts.set(id, { timer, over: Promise.withResolvers() });
    tell(thread, { say: 'abort', id });
  }

  /** A thread that is not in doubt: what it were asked now might end with it. */
  async #sound(signal: AbortSignal): Promise<Thread> {
    for (;;) {
      const thread = this.#awake();
      const [doubt] = thread.doubts.values();
      if (!doubt) return thread;
      await this.#within(signal, doubt.over.promise);
    }
  }

  #awake(): Thread {
    if (this.#thread) return this.#thread;
    // Another version of the file has another name, or the one that was loaded first would be had again.
    const version = statSync(this.#file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const worker = new Worker(new URL('./es-module-thread.ts', import.meta.url), {
      workerData: { url: `${pathToFileURL(this.#file).href}?v=${version}` },
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' },
      execArgv: [],
      stdout: true,
      resourceLimits: { maxOldGenerationSizeMb: memory },
    });
    const ready = Promise.withResolvers<ReadonlySet<string>>();
    ready.promise.catch(() => {}); // whoever waits for it is told
    const thread: Thread = { worker, ready, pending: new Map(), doubts: new Map() };
    this.#thread = thread;
    worker.stdout.on('data', (printed: Buffer) => process.stderr.write(printed));
    worker.on('message', (given: unknown) => {
      const heard = fromThread.safeParse(given);
      if (heard.success) this.#hear(thread, heard.data);
    });
    worker.on('error', (error) =>
      this.#lose(thread, `ended: ${error instanceof Error ? error.message : String(error)}`),
    );
    worker.on('exit', (code) => this.#lose(thread, `ended with ${code}`));
    return thread;
  }

  #hear(thread: Thread, heard: FromThread): void {
    switch (heard.say) {
      case 'ready':
        thread.ready.resolve(new Set(heard.functions));
        break;
      case 'broken':
        this.#lose(thread, `cannot be loaded: ${heard.message}`);
        break;
      case 'answer':
        thread.pending.get(heard.id)?.answer.resolve(heard.json);
        break;
      case 'threw':
        thread.pending.get(heard.id)?.answer.reject(new HookError(`threw: ${heard.message}`));
        break;
      case 'search':
        void find(thread, heard);
        break;
      case 'alive':
        settle(thread, heard.id);
        break;
    }
  }

  #lose(thread: Thread, why: string): void {
    if (this.#thread === thread) this.#thread = undefined;
    const error = new HookError(why);
    thread.ready.reject(error);
    for (const { answer } of thread.pending.values()) answer.reject(error);
    for (const id of thread.doubts.keys()) settle(thread, id);
    void thread.worker.terminate();
  }
}

function settle({ doubts }: Thread, id: number): void {
  const doubt = doubts.get(id);
  clearTimeout(doubt?.timer);
  doubt?.over.resolve();
  doubts.delete(id);
}

async function find(
  thread: Thread,
  { id, search, filter, options }: Extract<FromThread, { say: 'search' }>,
): Promise<void> {
  const pending = thread.pending.get(id);
  if (!pending) return;
  try {
    const found = await pending.search(filter, options, pending.signal);
    tell(thread, { say: 'found', search, json: JSON.stringify(found) });
  } catch (error) {
    tell(thread, { say: 'not found', search, message: error instanceof Error ? error.message : String(error) });
  }
}

function tell({ worker }: Thread, what: ToThread): void {
  worker.postMessage(what);
}
