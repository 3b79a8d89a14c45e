/**
 * A client of a web service: connections that are kept, credentials, a pace, and answers as they came. What a status
 * means is its caller's to say (`failure`); it throws only where there is no answer.
 */
import type { WebConfig } from '../../config/web.ts';
import { TargetError } from '../target.ts';
import { isIdempotent, isSafe, type WebAnswer, type WebRequest } from './answer.ts';
import { Connections } from './connections.ts';
import { type Credentials, createCredentials } from './credentials.ts';
import { exchange, type Sent } from './exchange.ts';
import { retryAfterOf } from './failure.ts';
import { Pace } from './pace.ts';
import { refusePrivate } from './private-address.ts';
import { Secrets } from './secrets.ts';
import { locate } from './url.ts';

/** The longest pause that is waited for within an operation, in seconds. */
const longestPause = 5;

export class WebClient {
  readonly #config: WebConfig;
  readonly #secrets: Secrets;
  readonly #connections: Connections;
  readonly #credentials: Credentials;
  readonly #paces = new Map<string, Pace>();

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: WebConfig, folder: string) {
    this.#config = config;
    this.#secrets = new Secrets(folder);
    this.#connections = new Connections(config, this.#secrets);
    this.#credentials = createCredentials(config.auth, this.#secrets, ({ url, what, ...request }, signal) =>
      this.#send({ ...request, url: new URL(url) }, { what }, signal),
    );
  }

  /**
   * Asks, and answers whatever came. Credentials that are refused are fetched or read anew, once; where the service says to
   * come again in a moment (429, or 503 where nothing can be done twice), everybody waits, and it is asked once more.
   * Throws TargetError where there is no answer: `unsure` if the request was sent and was no mere question.
   */
  async ask(request: WebRequest, signal: AbortSignal): Promise<WebAnswer> {
    const { timeout } = this.#config;
    const end = performance.now() + timeout;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
    const url = locate(this.#config.url, request);
    const answer = await this.#askAuthorised(request, url, limit);
    const pause = pauseOf(answer, request.method);
    if (pause === undefined || pause > longestPause || performance.now() + pause * 1000 >= end) return answer;
    this.#paceOf(url).hold(pause * 1000);
    return this.#askAuthorised(request, url, limit);
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #askAuthorised(request: WebRequest, url: URL, signal: AbortSignal): Promise<WebAnswer> {
    const message = { id: request.id, body: request.body ?? '' };
    const headers = await this.#credentials.headers(message, signal);
    const answer = await this.#send(this.#sentOf(request, url, headers), request, signal);
    if (answer.status !== 401 || !this.#credentials.refused(headers)) return answer;
    const others = await this.#credentials.headers(message, signal);
    return this.#send(this.#sentOf(request, url, others), request, signal);
  }

  /** Of headers with the same name, the last counts: what is configured, what this request says, who we are. */
  #sentOf(request: WebRequest, url: URL, credentials: Readonly<Record<string, string>>): Sent {
    const { method, body, contentType, headers = {} } = request;
    const configured = Object.entries(this.#config.headers).map(([name, value]) => [
      name,
      this.#secrets.setting(value),
    ]);
    const all = [
      ['accept-encoding', 'identity'],
      ['user-agent', 'Staffetta'],
      ...configured,
      ...(body === undefined || contentType === undefined ? [] : [['content-type', contentType]]),
      ...Object.entries(headers),
      ...Object.entries(credentials),
    ];
    const named = all.map(([name = '', value = '']) => [name.toLowerCase(), value] as const);
    return { url, method, body, headers: Object.fromEntries(named) };
  }

  async #send(sent: Sent, request: Pick<WebRequest, 'what' | 'secrets'>, signal: AbortSignal): Promise<WebAnswer> {
    const { url, method } = sent;
    const { what, secrets = [] } = request;
    const asked = this.#secrets.excerpt(`${method} ${url.origin}${url.pathname}`, secrets);
    try {
      if (this.#config.privateAddresses === 'refuse') refusePrivate(url.hostname);
      if (!(await this.#paceOf(url).turn(signal)))
        throw new TargetError('unavailable', `its turn at ${url.origin} did not come within the time limit`);
      const received = await exchange(this.#connections.dispatcher, sent, this.#config.maxAnswer, signal);
      const shown = (text: string) => this.#secrets.excerpt(text, secrets);
      return { ...received, asked, shown, excerpt: shown(received.body), wrote: !isSafe(method), url: url.href };
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      // The certificates that are at fault may have been renewed by the time that we are asked again.
      if (error.kind === 'misconfigured') this.#connections.renew();
      const message = this.#secrets.excerpt(`${what}: ${error.message}`, secrets);
      throw new TargetError(error.kind, message, { unsure: error.unsure, cause: error });
    }
  }

  #paceOf({ origin }: URL): Pace {
    const pace = this.#paces.get(origin) ?? new Pace(this.#config.rate);
    this.#paces.set(origin, pace);
    return pace;
  }
}

/** The seconds after which it can be asked once more without doing anything twice. */
function pauseOf(answer: WebAnswer, method: string): number | undefined {
  if (answer.status === 429 || (answer.status === 503 && isIdempotent(method))) return retryAfterOf(answer);
  return undefined;
}
