/**
 * A few connections, shared: each carries several requests at once; another is opened only when all are full. The servers
 * are tried in order, beginning with the one that worked last. A connection that nobody has used for a while is given up
 * before a server or a firewall does it.
 */
import { TargetError } from '../target.ts';
import { Connection } from './connection.ts';
import { givenUp, LdapError } from './errors.ts';
import { Permits } from './permits.ts';
import type { Server } from './server.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Milliseconds that an unused connection is kept. */
const idle = 30_000;

interface Slot {
  readonly connection: Connection;
  load: number;
  timer: NodeJS.Timeout | undefined;
}

export class Pool {
  readonly #servers: readonly Server[];
  readonly #perConnection: number;
  readonly #permits: Permits;
  #slots: Slot[] = [];
  #opening: Promise<Slot> | undefined;
  #working = 0;
  #closed = false;

  /** `size` connections at most, with `perConnection` requests in flight on each. */
  constructor(servers: readonly Server[], size: number, perConnection: number) {
    this.#servers = servers;
    this.#perConnection = perConnection;
    this.#permits = new Permits(size * perConnection);
  }

  /** The URLs, for messages. */
  get name(): string {
    return this.#servers.map((server) => server.name).join(', ');
  }

  /** Lends a connection for some work on it; waits while all are full. Throws what opening one throws. */
  async use<T>(work: (connection: Connection) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (!(await this.#permits.take(signal))) throw givenUp(this.name, false);
    try {
      const slot = await this.#slot(signal);
      clearTimeout(slot.timer);
      slot.load += 1;
      try {
        return await work(slot.connection);
      } finally {
        slot.load -= 1;
        if (slot.load === 0) slot.timer = setTimeout(() => this.#discard(slot), idle).unref();
      }
    } finally {
      this.#permits.give();
    }
  }

  /** A connection of one's own, beside the others: for a search in pages, of which a server keeps one per connection. */
  async own(signal: AbortSignal): Promise<{ readonly connection: Connection; release(): void }> {
    const opening = this.#open(Number.POSITIVE_INFINITY);
    opening.then((slot) => signal.aborted && this.#discard(slot)).catch(() => undefined);
    const slot = await unlessAborted(opening, signal, this.name);
    return { connection: slot.connection, release: () => this.#discard(slot) };
  }

  close(): void {
    this.#closed = true;
    for (const slot of this.#slots) this.#discard(slot);
  }

  /** Whoever holds a permit finds a connection that is not full, or room for another. */
  async #slot(signal: AbortSignal): Promise<Slot> {
    for (;;) {
      if (this.#closed) throw new TargetError('unavailable', `the connections to ${this.name} were closed`);
      this.#slots = this.#slots.filter((slot) => !slot.connection.closed);
      const free = this.#slots.find((slot) => slot.load < this.#perConnection);
      if (free !== undefined) return free;
      this.#opening ??= this.#open(0).finally(() => {
        this.#opening = undefined;
      });
      await unlessAborted(this.#opening, signal, this.name);
    }
  }

  /** Tries each server once. A refused bind ends it: repeated on every server, it would lock the account. */
  async #open(load: number): Promise<Slot> {
    const errors: TargetError[] = [];
    for (const server of [...this.#servers.slice(this.#working), ...this.#servers.slice(0, this.#working)]) {
      try {
        const connection = await Connection.open(server);
        this.#working = this.#servers.indexOf(server);
        const slot = { connection, load, timer: undefined };
        if (this.#closed) this.#discard(slot);
        else this.#slots.push(slot);
        return slot;
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        if (error instanceof LdapError && error.code === 49) throw error;
        errors.push(error);
      }
    }
    // As long as one of them may come back by itself, waiting is right.
    const cause = errors.find(({ kind }) => kind === 'unavailable') ?? errors[0];
    throw new TargetError(cause?.kind ?? 'unavailable', errors.map(({ message }) => message).join('; '), { cause });
  }

  #discard(slot: Slot): void {
    clearTimeout(slot.timer);
    slot.connection.close();
    this.#slots = this.#slots.filter((other) => other !== slot);
  }
}
