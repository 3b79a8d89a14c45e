/**
 * One connection to one server: connected, secured and bound once, then used until it breaks; it never comes back to
 * life, so a request cannot go out unbound. ldapts encodes and decodes the messages; its own client is not used, because
 * that reconnects by itself, and as nobody.
 *
 *   open ──connect──► TLS ──► StartTLS ──► bind ──► ready ──close / error / timeout──► closed
 *
 * Requests go out at once, many may be in flight. When the connection closes for whatever reason, each of them fails; a
 * change among them is `unsure`, for it may have been made.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  BindRequest,
  BindResponse,
  ExtendedRequest,
  ExtendedResponse,
  MessageParser,
  SearchEntry,
  SearchReference,
  UnbindRequest,
} from 'ldapts';
import { deadline, onAbort } from '../deadline.ts';
import type { TargetError } from '../target.ts';
import { broken, givenUp, refused } from './errors.ts';
import { encode, isWrite, type Request, type Response } from './message.ts';
import type { Server } from './server.ts';

/** What came back for a request: its result, and what a search found. */
export interface Answer<R extends Response> {
  readonly result: R;
  readonly entries: readonly SearchEntry[];
  readonly references: readonly string[];
}

interface Pending {
  readonly message: Request;
  readonly entries: SearchEntry[];
  readonly references: string[];
  readonly done: (result: Response) => void;
  readonly fail: (error: TargetError) => void;
}

export class Connection {
  readonly #server: Server;
  /** The connection itself, beneath TLS. */
  readonly #wire: Socket;
  /** What is read from and written to: the wire, or TLS over it. */
  #socket: Socket;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;
  #closed = false;

  private constructor(server: Server) {
    this.#server = server;
    this.#wire = connect({ host: server.host, port: server.port, noDelay: true, keepAlive: true });
    this.#socket = this.#wire;
  }

  /** Connects, secures and binds; whatever fails on the way was surely not a change. */
  static async open(server: Server): Promise<Connection> {
    const connection = new Connection(server);
    try {
      await connection.#established('connect');
      if (server.secure) await connection.#secure();
      else connection.#listen();
      if (server.startTls) await connection.#startTls();
      await connection.#bind();
      return connection;
    } catch (error) {
      connection.#end(error);
      throw broken(error, server.name, false);
    }
  }

  /** The server's name, for messages. */
  get server(): string {
    return this.#server.name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a request and waits for its result, whatever that says. A request that is not answered in time, or given up by
   * `signal`, takes the connection with it (PROTOCOL B4): what was sent cannot be called back.
   */
  request<R extends Response>(
    message: Request,
    type: new (...args: never[]) => R,
    signal: AbortSignal,
  ): Promise<Answer<R>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(broken(new Error('the connection is closed'), this.server, false));
      if (signal.aborted) return reject(givenUp(this.server, false));
      this.#lastId = (this.#lastId % 0x7fffffff) + 1;
      message.messageId = this.#lastId;
      const bytes = encode(message);
      const inTime = deadline(this.#server.timeout, () => this.#end(this.#late()));
      const wanted = onAbort(signal, () => this.#end(givenUp(this.server, false)));
      const settled = (): void => {
        inTime();
        wanted();
      };
      const entries: SearchEntry[] = [];
      const references: string[] = [];
      const done = (result: Response): void => {
        settled();
        if (result instanceof type) resolve({ result, entries, references });
        else reject(broken(new Error('an answer of the wrong kind'), this.server, isWrite(message)));
      };
      const fail = (error: TargetError): void => {
        settled();
        reject(error);
      };
      this.#pending.set(`${message.messageId}`, { message, entries, references, done, fail });
      this.#write(bytes);
    });
  }

  /** What is sent in one turn of the event loop, such as the next requests after many answers, goes out in one write. */
  #write(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(bytes);
  }

  /** Says goodbye and closes; whatever is still in flight fails. */
  close(): void {
    if (this.#closed) return;
    this.#socket.write(new UnbindRequest({ messageId: 0x7fffffff }).write());
    this.#fail(new Error('the connection was closed'));
    this.#socket.destroySoon();
  }

  #listen(): void {
    const parser = new MessageParser();
    parser.on('message', (message) => this.#receive(message));
    parser.on('error', (error) => this.#end(error));
    const receive = (data: Buffer): void => parser.read(data, this.#pending);
    const fail = (error: Error): void => this.#end(error);
    const close = (): void => this.#end(closedByServer());
    this.#socket.on('data', receive).on('error', fail).on('end', close).on('close', close);
  }

  #receive(message: Response): void {
    const pending = this.#pending.get(`${message.messageId}`);
    if (pending === undefined) return;
    if (message instanceof SearchEntry) pending.entries.push(message);
    else if (message instanceof SearchReference) pending.references.push(...message.uris);
    else {
      this.#pending.delete(`${message.messageId}`);
      pending.done(message);
    }
  }

  /** Ends it at once: what the server has not read yet it shall not read (PROTOCOL B4). */
  #end(reason: unknown): void {
    if (this.#closed) return;
    this.#fail(reason);
    this.#wire.resetAndDestroy();
    this.#socket.destroy();
  }

  /** The only way out of life: everything in flight fails with the reason. */
  #fail(reason: unknown): void {
    this.#closed = true;
    for (const { message, fail } of this.#pending.values()) fail(broken(reason, this.server, isWrite(message)));
    this.#pending.clear();
  }

  #late(): Error {
    return new Error(`no answer within ${this.#server.timeout / 1000} s`);
  }

  /** RFC 4511 §4.14. Nothing that came before the handshake is read after it: TLS has a parser of its own. */
  async #startTls(): Promise<void> {
    const request = new ExtendedRequest({ messageId: 0, oid: '1.3.6.1.4.1.1466.20037' });
    const { result } = await this.request(request, ExtendedResponse, new AbortController().signal);
    if (result.status !== 0) throw refused(result, { operation: 'startTls', dn: this.server });
    await this.#secure();
  }

  async #secure(): Promise<void> {
    this.#socket = connectTls({ socket: this.#wire, host: this.#server.host, ...this.#server.tls() });
    await this.#established('secureConnect');
    this.#listen();
  }

  async #bind(): Promise<void> {
    const account = this.#server.account();
    if (account === undefined) return;
    const { dn, password } = account;
    const request = new BindRequest({ messageId: 0, dn, password });
    const { result } = await this.request(request, BindResponse, new AbortController().signal);
    if (result.status !== 0) throw refused(result, { operation: 'bind', dn, secrets: [password] });
  }

  async #established(event: 'connect' | 'secureConnect'): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    const inTime = deadline(this.#server.timeout, () => over.abort());
    this.#socket.on('error', ignore);
    try {
      await Promise.race([
        once(this.#socket, event, { signal }),
        once(this.#socket, 'close', { signal }).then(() => {
          throw closedByServer();
        }),
      ]);
    } catch (error) {
      throw signal.aborted ? this.#late() : error;
    } finally {
      inTime();
    }
  }
}

function closedByServer(): Error {
  return new Error('the server closed the connection');
}

/** An error is told to whoever waits; afterwards nobody is left to be told. */
function ignore(): void {}
