import { Client } from './client.ts';
import { connectionOptions, unlimitedTransactions } from './pool.ts';
import { isPassing } from './sqlstate.ts';

/** With the hash of an instance's id: the advisory lock that its life line holds (two int4, so that it is nobody else's). */
export const livingLock = 7272;

/**
 * How soon the server ends the session of a machine that is gone, or of which it hears nothing: else the lock would be
 * held for hours.
 */
const settings = `set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 2;
  set tcp_user_timeout = '15s'; set idle_session_timeout = '2min'; ${unlimitedTransactions}`;

interface Session {
  readonly client: Client;
  /** Settles when it is connected and holds the lock. */
  readonly ready: Promise<unknown>;
}

/**
 * The session that shows others that a daemon lives: a lock that the server gives up the moment the session ends. It is
 * opened when first used, and anew whenever it was lost. The lock is shared: a session of ours that the server has not yet
 * found to be lost may still hold it.
 */
export class LifeLine {
  readonly #url: string;
  readonly #instance: string;
  readonly #queryTimeout: number;
  #session: Session | undefined;

  /** `queryTimeout`: milliseconds after which a query counts as lost, and the session with it. */
  constructor(url: string, instance: string, queryTimeout: number) {
    this.#url = url;
    this.#instance = instance;
    this.#queryTimeout = queryTimeout;
  }

  /** Runs one statement. */
  async query(statement: string, values?: readonly unknown[]): Promise<void> {
    this.#session ??= this.#open();
    const session = this.#session;
    try {
      await session.ready;
      await session.client.query(statement, values);
    } catch (error) {
      if (isPassing(error)) void this.#discard(session);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#session) await this.#discard(this.#session);
  }

  #open(): Session {
    const client = new Client({
      ...connectionOptions(this.#url, 'staffetta life line'),
      query_timeout: this.#queryTimeout,
      connectionTimeoutMillis: this.#queryTimeout,
    });
    const session = { client, ready: hold(client, this.#instance) };
    client.on('error', () => void this.#discard(session));
    return session;
  }

  async #discard(session: Session): Promise<void> {
    if (this.#session === session) this.#session = undefined;
    await session.client.end().catch(() => {}); // it may be lost already
  }
}

async function hold(client: Client, instance: string): Promise<void> {
  await client.connect();
  await client.query(settings);
  await client.query('select pg_advisory_lock_shared($1, hashtext($2))', [livingLock, instance]);
}
