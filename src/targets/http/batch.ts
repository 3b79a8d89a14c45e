/**
 * Changes that go together in one request, whose answer has a result for each. What fails as a whole fails for all; but
 * what is refused as a whole goes once more one by one, so that one that is bad harms no other.
 */
import type { BatchConfig } from '../../config/http-operation.ts';
import type { Json } from '../document.ts';
import { Gathering, type Waiting } from '../gathering.ts';
import { TargetError, type TargetErrorKind } from '../target.ts';
import type { WebAnswer } from '../web/answer.ts';
import type { WebClient } from '../web/client.ts';
import { neededContentOf } from './content.ts';
import type { Idempotency } from './idempotency.ts';
import type { Operation } from './operation.ts';
import { at } from './pointer.ts';
import { type Meanings, meaningOf } from './verdict.ts';

/** One change among others. */
export interface Item {
  readonly json: Json;
  readonly what: string;
  readonly secrets: readonly string[];
  /** What its result's status means. */
  readonly status: Meanings;
}

/** What became of it. */
export interface ItemResult {
  readonly stableId: string | undefined;
}

type Waits = Waiting<Item, ItemResult>;

/** What the service says of each change. */
interface Results {
  readonly answer: WebAnswer;
  readonly results: readonly Json[];
}

export class Batch {
  readonly #operation: Operation;
  readonly #config: BatchConfig;
  readonly #client: WebClient;
  readonly #idempotency: Idempotency;
  readonly #gathering = new Gathering<Item, ItemResult>({
    divide: (all) => this.#divide(all),
    carry: (some) => this.#carry(some),
  });

  constructor(operation: Operation, config: BatchConfig, client: WebClient, idempotency: Idempotency) {
    this.#operation = operation;
    this.#config = config;
    this.#client = client;
    this.#idempotency = idempotency;
  }

  /** Makes a change with whatever others come at this moment. Throws what its own result means. */
  send(item: Item, signal: AbortSignal): Promise<ItemResult> {
    return this.#gathering.send(item, signal);
  }

  #divide(all: readonly Waits[]): Waits[][] {
    const { max } = this.#config;
    return Array.from({ length: Math.ceil(all.length / max) }, (_, index) => all.slice(index * max, (index + 1) * max));
  }

  async #carry(some: readonly Waits[]): Promise<void> {
    try {
      const answer = await this.#ask(some.map(({ item }) => item));
      for (const [index, waits] of some.entries()) this.#conclude(waits, index, answer);
    } catch (error) {
      const isRefused = error instanceof TargetError && error.kind === 'rejected' && !error.unsure;
      if (!isRefused || some.length === 1) throw error;
      await Promise.all(some.map((waits) => this.#carry([waits]).catch(waits.fail)));
    }
  }

  async #ask(items: readonly Item[]): Promise<Results> {
    const [only] = items;
    const what = items.length === 1 && only ? only.what : `${items.length} changes, the first of them ${only?.what}`;
    const list = items.map(({ json }) => json);
    const request = this.#operation.request((name) => (name === 'items' ? list : undefined), {
      what,
      secrets: items.flatMap(({ secrets }) => secrets),
    });
    // Each of those who wait has a time limit of its own; the request has that of the client.
    const { signal } = new AbortController();
    const answer = await this.#idempotency.once(request, (keyed) => this.#operation.ask(this.#client, keyed, signal));
    const results = at(neededContentOf(answer, what), this.#config.results);
    if (!isList(results)) {
      const message = `${what}: ${answer.asked} answered no list at "${this.#config.results}": ${answer.excerpt}`;
      throw new TargetError('unknown', message, { unsure: true });
    }
    return { answer, results };
  }

  #conclude({ item, done, fail }: Waits, index: number, { answer, results }: Results): void {
    const { key, result: statusAt, message: messageAt, stableId } = this.#config;
    const name = key && textAt(item.json, key.sent);
    const result = key ? results.find((other) => textAt(other, key.answered) === name) : results[index];
    if (result === undefined) {
      const message = `${item.what}: the answer to its batch says nothing of it`;
      fail(new TargetError('unknown', message, { unsure: true }));
      return;
    }
    const status = textAt(result, statusAt);
    const meaning = meaningOf(status, { ...this.#config.status, ...item.status });
    if (meaning === 'done') {
      done({ stableId: stableId === undefined ? undefined : textAt(result, stableId) || undefined });
      return;
    }
    const kind: TargetErrorKind = meaning ?? 'unknown';
    const said = answer.shown(messageAt === undefined ? JSON.stringify(result) : textAt(result, messageAt));
    const unsure = kind === 'unavailable' || kind === 'unknown';
    fail(new TargetError(kind, `${item.what}: its batch was answered ${status || 'no status'}: ${said}`, { unsure }));
  }
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

function textAt(document: Json, pointer: string): string {
  const value = at(document, pointer);
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
