/** The chain of backends: for one action of one identity, every backend that it concerns, in order. */
import type { ScriptConfig } from '../../config/script.ts';
import type { Exit } from '../../programs/exit.ts';
import { type ProcessOptions, run } from '../../programs/process.ts';
import { Stream } from '../../programs/stream.ts';
import { TargetError, type TargetErrorKind } from '../target.ts';
import type { Backend, Broken, Step } from './backend.ts';
import { isBroken } from './backends.ts';
import type { Request } from './request.ts';
import { isResult, type Result, resultOf } from './result.ts';

/** What one backend made of one action. */
export interface Answer extends Result {
  readonly backend: string;
  readonly action: string;
}

/** Of several failures, the one that decides what happens next stands first. */
const weight: readonly TargetErrorKind[] = ['misconfigured', 'unavailable', 'unknown', 'rejected'];

export class Chain {
  readonly #config: ScriptConfig;
  readonly #options: ProcessOptions;
  readonly #streams = new Map<string, Stream>();

  constructor(config: ScriptConfig) {
    this.#config = config;
    this.#options = { env: config.env, shell: config.shell, maxOutput: config.maxOutput };
  }

  /**
   * Asks every backend that the action concerns, until one fails whose `onError` is `stop`. A broken one concerns
   * everything and fails, while the others go on. Throws `rejected` where the action concerns none.
   */
  async ask(backends: readonly (Backend | Broken)[], request: Request, signal: AbortSignal): Promise<Answer[]> {
    const answers: Answer[] = [];
    const { action } = request;
    for (const backend of backends) {
      const { name } = backend;
      if (isBroken(backend)) {
        answers.push({
          backend: name,
          action,
          status: -1,
          message: backend.mistakes.join('; '),
          kind: 'unknown',
          unsure: false,
        });
        continue;
      }
      const step = backend.active ? backend.steps.get(action) : undefined;
      if (!step) continue;
      const result = await this.call(name, step, request, signal);
      answers.push({ backend: name, action, ...result });
      if (result.kind !== undefined && step.onError === 'stop') break;
    }
    if (answers.length === 0) throw nobody(backends, action);
    return answers;
  }

  /** Calls the program of one backend. */
  async call(backend: string, { program }: Step, { document, secrets }: Request, signal: AbortSignal): Promise<Result> {
    const input = JSON.stringify(document);
    const exit: Exit =
      this.#config.process[backend] === 'stream'
        ? await this.#stream(backend, program).ask(input, () => signal)
        : await run(program, `${input}\n`, this.#options, signal);
    return resultOf(exit, secrets);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
  }

  #stream(backend: string, program: Step['program']): Stream {
    const name = JSON.stringify([backend, program.file, program.line]);
    const stream = this.#streams.get(name) ?? new Stream(program, this.#options, isResult);
    this.#streams.set(name, stream);
    return stream;
  }
}

/** The failure that answers amount to; undefined where there is none. `done`: whether something was done before them. */
export function failureIn(answers: readonly Answer[], done: boolean): TargetError | undefined {
  const failures = answers.filter(({ kind }) => kind !== undefined);
  const kind = weight.find((one) => failures.some((failure) => failure.kind === one));
  if (kind === undefined) return undefined;
  const message = failures.map((failure) => `${failure.backend}, ${failure.action}: ${failure.message}`).join('; ');
  const unsure = done || answers.some((answer) => answer.kind === undefined || answer.unsure);
  return new TargetError(kind, message, { unsure, data: dataOf(answers) });
}

/** What backends said, for the write-back: each of them, and all their data as one. */
export function dataOf(answers: readonly Answer[]) {
  return {
    message: answers.flatMap(({ message }) => message || []).join('; '),
    backends: answers.map(({ backend, action, status, message, data }) => ({ backend, action, status, message, data })),
    data: Object.assign({}, ...answers.map(({ data }) => data ?? {})),
  };
}

function nobody(backends: readonly (Backend | Broken)[], action: string): TargetError {
  const names = backends.map((one) => (isBroken(one) || one.active ? one.name : `${one.name} (not active)`));
  const found = names.length === 0 ? 'there is no backend' : `none of the backends lists it: ${names.join(', ')}`;
  return new TargetError(
    'rejected',
    `${action} concerns nobody, ${found}; list it under actions: in a config.yml, then retry`,
  );
}
