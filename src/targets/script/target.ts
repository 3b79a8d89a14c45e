/**
 * The `script` target: programs in any language that read JSON from standard input, in Sesame's layout. For an identity
 * that is created, changed or removed every backend is called that the action concerns, one chain per identity, several
 * identities at once.
 *
 * Scripts cannot be asked what they hold, so whatever is in doubt is written whole once more (PROTOCOL B5): they must take
 * it well to be told the same twice.
 */
import type { ScriptConfig } from '../../config/script.ts';
import { asideMark } from '../aside-mark.ts';
import { mappingOf } from '../mapping-of.ts';
import { sameValues } from '../same-values.ts';
import {
  type Applied,
  type Change,
  type Health,
  type Password,
  type Target,
  TargetError,
  type Value,
  type Whole,
} from '../target.ts';
import type { Backend, Broken } from './backend.ts';
import { Backends, isBroken } from './backends.ts';
import { type Answer, Chain, dataOf, failureIn } from './chain.ts';
import { neededActions } from './needed-actions.ts';
import { passwordRequest, ping, requestsFor } from './request.ts';

export class ScriptTarget implements Target {
  readonly whole = true;
  readonly #config: ScriptConfig;
  readonly #backends: Backends;
  readonly #chain: Chain;

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: ScriptConfig, folder: string) {
    this.#config = config;
    this.#backends = new Backends(config.backends, folder);
    this.#chain = new Chain(config);
  }

  /** Asks every backend that lists PING_TARGET. Fails with the mistakes of every `config.yml`, all others having been asked. */
  async ping(signal: AbortSignal): Promise<Health> {
    const all = await this.#backends.again();
    const good = all.flatMap((backend) => (isBroken(backend) ? [] : [backend]));
    const listing = good.filter(({ active, steps }) => active && steps.has(ping.action));
    const answers = await Promise.all(listing.map((backend) => this.#chain.ask([backend], ping, signal)));
    const failure = failureIn(answers.flat(), false);
    const mistakes = this.#mistakesIn(all);
    if (mistakes.length > 0)
      throw new TargetError('misconfigured', [...mistakes, ...(failure ? [failure.message] : [])].join('; '));
    if (failure) throw failure;
    const names = good.map(({ name, active }) => (active ? name : `${name} (not active)`));
    return { summary: `backends in ${this.#backends.shown}: ${names.join(', ')}`, identity: this.#backends.shown };
  }

  async mistakes(): Promise<readonly string[]> {
    try {
      return this.#mistakesIn(await this.#backends.again());
    } catch (error) {
      if (error instanceof TargetError) return [error.message];
      throw error;
    }
  }

  #mistakesIn(all: readonly (Backend | Broken)[]): string[] {
    const { shown } = this.#backends;
    const unknown = Object.keys(this.#config.process).filter((name) => all.every((backend) => backend.name !== name));
    return [
      ...all.flatMap((backend) => (isBroken(backend) ? backend.mistakes : [])),
      ...unknown.map((name) => `process.${name}: there is no backend of this name in ${shown}`),
      ...(all.length === 0
        ? [`there is no backend in ${shown}: expected folders with a config.yml`]
        : this.#unlisted(all)),
    ];
  }

  /** What identities lead to, and no backend lists; nobody knows of one that is broken. */
  #unlisted(all: readonly (Backend | Broken)[]): string[] {
    if (all.some(isBroken)) return [];
    const listed = new Set(
      all.flatMap((backend) => ('steps' in backend && backend.active ? [...backend.steps.keys()] : [])),
    );
    return Object.entries(this.#config.entities).flatMap(([entity, mapping]) =>
      neededActions(mapping, this.#config.createAction)
        .filter((action) => !listed.has(action))
        .map((action) => `no backend in ${this.#backends.shown} lists ${action}, which entity ${entity} leads to`),
    );
  }

  /** Makes a change: each of its actions goes to every backend that it concerns. What fails ends it. */
  async apply(change: Change, signal: AbortSignal, whole: Whole = { written: {} }): Promise<Applied> {
    const remoteId = (change.operation === 'update' ? change.renameTo : undefined) ?? change.remoteId;
    const mapping = mappingOf(this.#config, change.entity);
    if (isAside(change)) return { remoteId };
    const backends = await this.#backends.all();
    const answers: Answer[] = [];
    for (const request of requestsFor(change, whole, mapping, this.#config.createAction)) {
      const given = await this.#chain.ask(backends, request, signal).catch((error: unknown) => {
        if (!(error instanceof TargetError) || answers.length === 0) throw error;
        throw new TargetError(error.kind, error.message, { unsure: true, data: dataOf(answers) });
      });
      const failure = failureIn(given, answers.length > 0);
      answers.push(...given);
      if (failure) throw failure;
    }
    return { remoteId, data: dataOf(answers) };
  }

  /** Tells every backend that it concerns. */
  async setPassword(
    { entity, remoteId }: { readonly entity: string; readonly remoteId: string },
    password: Password,
    signal: AbortSignal,
    { desired, written }: Whole,
  ): Promise<void> {
    const mapping = mappingOf(this.#config, entity);
    const request = passwordRequest(password, remoteId, mapping, desired ?? written);
    const failure = failureIn(await this.#chain.ask(await this.#backends.all(), request, signal), false);
    if (failure) throw failure;
  }

  normalise(remoteId: string): string {
    return remoteId;
  }

  same(_attribute: string, left: readonly Value[], right: readonly Value[]): boolean {
    return sameValues(left, right, (value) => JSON.stringify(value));
  }

  aside(remoteId: string, key: string): string {
    return `${remoteId}${separator}${asideMark(key)}`;
  }

  close(): Promise<void> {
    return this.#chain.close();
  }
}

const separator = '#aside-';

/** An id that is freed for another identity during a swap: no script hears of it, for both are told their new ids. */
function isAside(change: Change): boolean {
  return change.operation === 'update' && change.renameTo?.startsWith(change.remoteId + separator) === true;
}
