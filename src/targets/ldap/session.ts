/** A target's dealings with its servers: the pool, and what the servers said of themselves. */
import type { LdapConfig } from '../../config/schema.ts';
import { type Directory, readDirectory } from './directory.ts';
import { type Circumstances, type Refusal, refused } from './errors.ts';
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

  constructor(config: LdapConfig, folder: string) {
    this.config = config;
    const servers = config.url.map((url) => new Server(url, config, folder));
    this.#pool = new Pool(servers, config.slots, config.concurrency);
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
    const { result } = await this.#pool.use((connection) => connection.request(request, type, signal), signal);
    if (result.status !== 0) throw refused(result, circumstances);
    return result;
  }

  search(query: Query, signal: AbortSignal): Promise<Found[]> {
    return this.#pool.use((connection) => search(connection, query, signal), signal);
  }

  /** All entries, however many; ends only when it has seen the last, and throws otherwise. */
  async *scan(query: Query, signal: AbortSignal): AsyncGenerator<Found, void, undefined> {
    const { connection, release } = await this.#pool.own(signal);
    try {
      for await (const page of pages(connection, query, pageSize, signal)) yield* page;
    } finally {
      release();
    }
  }

  close(): void {
    this.#pool.close();
  }

  async #readDirectory(): Promise<Directory> {
    const forever = new AbortController().signal;
    const { binary } = this.config;
    const directory = await this.#pool.use((connection) => readDirectory(connection, binary, forever), forever);
    this.#schema = directory.schema;
    return directory;
  }
}
