/**
 * Which message a change is: the same when it is sent again because nobody knows what became of it, so that the service
 * can tell that it had it before. The same change at another time is another message: once the outcome is known, what is
 * equal to it is counted anew.
 */
import { createHash } from 'node:crypto';
import { TargetError } from '../target.ts';
import type { WebRequest } from '../web/answer.ts';

/** So many messages are remembered; the oldest are forgotten. */
const remembered = 10_000;

export class Idempotency {
  readonly #header: string | undefined;
  /** Message → how often one like it was concluded. */
  readonly #concluded = new Map<string, number>();

  /** `header`: what the key goes in; left out: in none but that of a signature. */
  constructor(header: string | undefined) {
    this.#header = header;
  }

  /** Sends a message with its key, and takes note where it is known what became of it. */
  async once<T>(request: WebRequest, send: (keyed: WebRequest) => Promise<T>): Promise<T> {
    const { method, path, query, body } = request;
    const content = hash([method, path, query, body]);
    const times = this.#concluded.get(content) ?? 0;
    const key = hash([content, times]);
    const header = this.#header === undefined ? {} : { [this.#header]: key };
    try {
      const answer = await send({ ...request, id: key, headers: { ...request.headers, ...header } });
      this.#conclude(content, times + 1);
      return answer;
    } catch (error) {
      const isKnown = error instanceof TargetError && !error.unsure && error.kind !== 'unavailable';
      if (isKnown) this.#conclude(content, times + 1);
      throw error;
    }
  }

  #conclude(content: string, times: number): void {
    this.#concluded.delete(content);
    this.#concluded.set(content, times);
    const [oldest] = this.#concluded.keys();
    if (this.#concluded.size > remembered && oldest !== undefined) this.#concluded.delete(oldest);
  }
}

function hash(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 40);
}
