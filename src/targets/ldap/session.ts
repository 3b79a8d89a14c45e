/** A target's dealings with its servers: the pool, and what the servers said of themselves. */
import type { LdapConfig } from '../../config/ldap.ts';
import { TargetError } from '../target.ts';
import type { Connection } from './connection.ts';
import { type Directory, readDirectory } from './directory.ts';
import { type Circumstances, type Refusal, refused } from './errors.ts';
import { readIdentity, rootOf } from './identity.ts';
import type { Request, Response } from './message.ts';
import { Pool } from './pool.ts';
import { Schema } from './schema.ts';
import { type Found, pages, type Query, search } from './search.ts';
import { Server } from './server.ts';
import { unlessAborted } from './unless-aborted.ts';

/** A response with a result: of anything that is not a search. */
type Result = Response & Refusal;

/** Entries in a page of a search that may find any number; Active Directory gives at most 1,000. */
const pageSize = 500;

export class Session {
  readonly config: LdapConfig;
  readonly #pool: Pool;
  #schema: Schema;
  #directory: Promise<Directory> | undefined;
  #expected: string | undefined;
  /** Which installation is at the other end of a connection; asked once for each. */
  readonly #met = new WeakMap<Connection, Promise<string | undefined>>();

  constructor(config: LdapConfig, folder: string) {
    this.config = config;
    const servers = config.url.map((url) => new Server(url, config, folder));
    this.#pool = new Pool(servers, config.slots + 1, config.concurrency); // one more than slots: the express pump's
    this.#schema = new Schema([], [], config.binary);
  }

  /** The URLs, for messages. */
  get name(): string {
    return this.#pool.name;
  }

  /** The server's schema once it was read, what everybody knows before. */
  get schema(): Schema {
    return this.#schema;
  }

  /** From now on, connections to another installation are of no use (PROTOCOL C5). Undefined: any will do. */
  expect(identity: string | undefined): void {
    this.#expected = identity;
  }

  /** Where the tree begins that holds our entries. */
  root(directory: Directory): string {
    return rootOf(Object.values(this.config.entities), directory, this.name);
  }

  /** Asks the server anew. */
  refresh(signal: AbortSignal): Promise<Directory> {
    this.#directory = undefined;
    return this.directory(signal);
  }

  /** Asks the server once; again if that failed. */
  directory(signal: AbortSignal): Promise<Directory> {
    const directory = this.#directory ?? this.#readDirectory();
    this.#directory = directory;
    directory.catch(() => {
      if (this.#directory === directory) this.#directory = undefined;
    });
    return unlessAborted(directory, signal, this.name);
  }

  /** Sends a request; throws an `LdapError` for any result but success. */
  async send<R extends Result>(
    request: Request,
    type: new (...args: never[]) => R,
    circumstances: Circumstances,
    signal: AbortSignal,
  ): Promise<R> {
    const { result } = await this.#use((connection) => connection.request(request, type, signal), signal);
    if (result.status !== 0) throw refused(result, circumstances);
    return result;
  }

  search(query: Query, signal: AbortSignal): Promise<Found[]> {
    return this.#use((connection) => search(connection, query, signal), signal);
  }

  /** All entries, however many; ends only when it has seen the last, and throws otherwise. */
  async *scan(query: Query, signal: AbortSignal): AsyncGenerator<Found, void, undefined> {
    const directory = this.#expected === undefined ? undefined : await this.directory(signal);
    const { connection, release } = await this.#pool.own(signal);
    try {
      if (directory) await this.#verify(connection, directory, signal);
      for await (const page of pages(connection, query, pageSize, signal)) yield* page;
    } finally {
      release();
    }
  }

  close(): void {
    this.#pool.close();
  }

  async #use<T>(work: (connection: Connection) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#expected === undefined) return this.#pool.use(work, signal);
    const directory = await this.directory(signal);
    return this.#pool.use(async (connection) => {
      await this.#verify(connection, directory, signal);
      return work(connection);
    }, signal);
  }

  async #verify(connection: Connection, directory: Directory, signal: AbortSignal): Promise<void> {
    let meeting = this.#met.get(connection);
    if (meeting === undefined) {
      const root = this.root(directory);
      meeting = readIdentity(connection, directory, root, signal);
      meeting.catch(() => this.#met.delete(connection));
      this.#met.set(connection, meeting);
    }
    const identity = await meeting;
    if (this.#expected === undefined || identity === undefined || identity === this.#expected) return;
    throw new TargetError(
      'misconfigured',
      `${this.name} is ${identity}, another directory than the one that the links belong to (${this.#expected}): correct its url, or, if it is to take the other's place, run \`staffetta accept-target\``,
    );
  }

  async #readDirectory(): Promise<Directory> {
    const forever = new AbortController().signal;
    const { binary } = this.config;
    const directory = await this.#pool.use((connection) => readDirectory(connection, binary, forever), forever);
    this.#schema = directory.schema;
    return directory;
  }
}
