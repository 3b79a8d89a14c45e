/**
 * The alarm clock: pg-listen, wrapped. It may lose notifications and says nothing of it, so it only ever hastens what
 * the poll does anyway.
 *
 * A subscriber is connecting, connected or given up: at the first error it is thrown away and another is made, with
 * growing pauses, since reconnecting may silently forget what to listen to. Every `connected` counts as a bell: what
 * rang meanwhile was not heard.
 */
import { Socket } from 'node:net';
import pgListen, { type Subscriber } from 'pg-listen';
import { farewell } from './client.ts';
import { connectionOptions } from './pool.ts';

const { default: createSubscriber } = pgListen; // a CommonJS module

const firstPause = 250;
const longestPause = 10_000;

/** How long a query of the listening connection may take; a half-open socket would otherwise never be noticed. */
const queryTimeout = 10_000;

export class Listener {
  readonly #url: string;
  readonly #channel: string;
  readonly #ring: (payload: string | undefined) => void;
  #subscriber: Subscriber | undefined;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  /** `ring` is called with each notification's payload, and without one whenever some may have been missed. */
  constructor(url: string, channel: string, ring: (payload: string | undefined) => void) {
    this.#url = url;
    this.#channel = channel;
    this.#ring = ring;
  }

  start(): void {
    this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#discard();
  }

  #connect(): void {
    const socket = new Socket();
    this.#socket = socket;
    const subscriber = createSubscriber(
      { ...connectionOptions(this.#url, 'staffetta listener'), query_timeout: queryTimeout, stream: () => socket },
      // A limit of 1 allows no attempt at all: what is lost becomes an error at once.
      { paranoidChecking: 5_000, retryLimit: 1, parse: (payload) => payload },
    );
    this.#subscriber = subscriber;
    const failed = () => {
      if (this.#subscriber === subscriber) this.#again();
    };
    subscriber.events.on('error', failed);
    subscriber.notifications.on(this.#channel, (payload: string) => this.#ring(payload));
    subscriber
      .connect()
      .then(() => subscriber.listenTo(this.#channel))
      .then(() => {
        this.#failures = 0;
        this.#ring(undefined);
      })
      .catch(failed);
  }

  #again(): void {
    void this.#discard();
    if (this.#closed) return;
    const pause = Math.min(firstPause * 2 ** this.#failures, longestPause);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  async #discard(): Promise<void> {
    const [subscriber, socket] = [this.#subscriber, this.#socket];
    this.#subscriber = undefined;
    const late = setTimeout(() => socket?.destroy(), farewell).unref();
    // A connection that is broken cannot be closed in good order, and need not be.
    await subscriber?.close().catch(() => {});
    clearTimeout(late);
  }
}
