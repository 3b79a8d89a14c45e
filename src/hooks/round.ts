/** One change on its way past all modules: those before it, and, once it was tried, those after it. */
import { mask, oneLine } from '../programs/output.ts';
import type { Attributes, Change, Value } from '../targets/target.ts';
import { failedCode } from './answer.ts';
import { entryXml } from './entry-xml.ts';
import {
  type Call,
  type CallAttribute,
  type ChangeOutcome,
  HookError,
  type HookModule,
  type Said,
  type Search,
  type Statuses,
  TooLate,
} from './hook.ts';
import { describeStep, functionOf, type Step, stepsOf } from './steps.ts';

/** What is changed, and for whom. */
export interface Subject {
  readonly entity: string;
  readonly key: string;
  readonly target: string;
  readonly baseDn: string | null;
  readonly actor: string | null;
  readonly change: Change;
  /** What the entry had of ours before; undefined where nobody knows. */
  readonly known: Attributes | undefined;
  /** Names of attributes whose values are secret. */
  readonly secret: ReadonlySet<string>;
}

/** What one call of one module came to, as the journal keeps it. */
export interface Status {
  readonly module: string;
  /** The function that was called: `beforeUpdate modify`. */
  readonly hook: string;
  readonly code: number;
  /** One line for people, secrets masked. */
  readonly message: string;
  readonly panic: boolean;
}

/** Begins a call that may take so many milliseconds, or throws `TooLate`. */
export type Begin = (timeout: number) => AbortSignal;

type Phase = 'before' | 'after';

export class Round {
  /** What every call came to so far. */
  readonly statuses: Status[] = [];
  readonly #modules: readonly HookModule[];
  readonly #subject: Subject;
  readonly #search: Search;
  readonly #begin: Begin;
  readonly #secrets: readonly string[];
  readonly #steps: readonly { readonly step: Step; said: Statuses }[];

  constructor(modules: readonly HookModule[], subject: Subject, search: Search, begin: Begin) {
    this.#modules = modules;
    this.#subject = subject;
    this.#search = search;
    this.#begin = begin;
    this.#steps = stepsOf(subject.change, subject.known).map((step) => ({ step, said: {} }));
    const secret = this.#steps.flatMap(({ step }) => step.attributes.filter(({ name }) => subject.secret.has(name)));
    this.#secrets = secret.flatMap(({ values }) => values.map(textOf));
  }

  /** Calls what comes before the change; why it must not be made, if a module says so. Throws `TooLate`. */
  before(): Promise<string | undefined> {
    return this.#all('before');
  }

  /** Calls what comes after it, whatever became of it; why nothing further is to happen, if a module says so. */
  after(outcome: ChangeOutcome): Promise<string | undefined> {
    return this.#all('after', outcome);
  }

  async #all(phase: Phase, outcome?: ChangeOutcome): Promise<string | undefined> {
    for (const own of this.#steps) {
      for (const module of this.#modules) {
        const given = await this.#ask(module, phase, own.step, own.said, outcome);
        if (given === undefined) continue;
        const said = { ...given, msg: mask(given.msg, this.#secrets) };
        own.said = { ...own.said, [module.name]: { ...own.said[module.name], [phase]: said } };
        const hook = describeStep(phase, own.step);
        const message = oneLine(said.msg);
        this.statuses.push({ module: module.name, hook, code: said.code, message, panic: said.panic });
        if (said.panic)
          return `hook ${module.name}, ${hook}: ${message === '' ? `stopped it (${said.code})` : message}`;
      }
    }
    return undefined;
  }

  /** What a module says; that it failed, where it does. Undefined: it does not care. */
  async #ask(
    module: HookModule,
    phase: Phase,
    step: Step,
    status: Statuses,
    outcome: ChangeOutcome | undefined,
  ): Promise<Said | undefined> {
    const begin = () => this.#begin(module.timeout);
    try {
      const search = module.secrets ? this.#search : withoutSecrets(this.#search, this.#subject.secret);
      return await module.call(this.#call(module, phase, step, status, outcome), { search, begin });
    } catch (error) {
      if (error instanceof TooLate && phase === 'before') throw error;
      if (error instanceof TooLate || error instanceof HookError)
        return { code: failedCode, msg: error.message, panic: false };
      throw error;
    }
  }

  #call({ secrets }: HookModule, phase: Phase, step: Step, status: Statuses, outcome: ChangeOutcome | undefined): Call {
    const { entity, key, target, baseDn, actor, change, secret } = this.#subject;
    const renameTo = change.operation === 'update' ? change.renameTo : undefined;
    const remoteId = outcome?.remoteId ?? change.remoteId;
    const attributes = step.attributes.map((own): CallAttribute => {
      if (!secret.has(own.name)) return own;
      return { ...own, values: secrets ? own.values : [], secret: true };
    });
    const moved = renameTo === undefined || outcome?.done === true ? {} : { renameTo };
    return {
      function: functionOf(phase, step),
      ...(step.type === undefined ? {} : { type: step.type }),
      entity,
      key,
      target,
      remoteId,
      ...moved,
      baseDn,
      actor,
      attributes,
      entry: entryXml(remoteId, moved.renameTo, attributes),
      status,
      ...(outcome ? { outcome } : {}),
    };
  }
}

function textOf(value: Value): string {
  return typeof value === 'string' ? value : value.base64;
}

/** A search that shows no secret attribute, by whatever name or option it is asked for. */
function withoutSecrets(search: Search, secret: ReadonlySet<string>): Search {
  const hidden = new Set([...secret].map((name) => name.toLowerCase()));
  const isOpen = (name: string) =>
    /^[a-z][a-z0-9;-]*$/i.test(name) && !hidden.has(name.toLowerCase().replace(/;.*/, ''));
  return (filter, { attributes = [], ...options }, signal) =>
    search(filter, { ...options, attributes: attributes.filter(isOpen) }, signal);
}
