/** An access token of OAuth 2.0 client credentials (RFC 6749 §4.4): fetched when it is needed, kept until it expires. */
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  OperationProcessingError,
  processClientCredentialsResponse,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { shownUrl } from '../../config/shown-url.ts';
import type { Auth } from '../../config/web.ts';
import { TargetError } from '../target.ts';
import type { WebAnswer } from './answer.ts';
import type { Credentials } from './credentials.ts';
import { failure, kindOfStatus } from './failure.ts';
import type { Secrets } from './secrets.ts';

/** Sends a request to any server, without credentials of the service. Throws TargetError. */
export type Ask = (
  request: {
    readonly url: string;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly what: string;
  },
  signal: AbortSignal,
) => Promise<WebAnswer>;

/** So long before a token expires, another is fetched, in milliseconds. */
const margin = 30_000;

interface Known {
  readonly token: string;
  /** When another is fetched, on the monotonic clock. */
  readonly until: number;
}

export class Token implements Credentials {
  readonly #auth: Extract<Auth, { type: 'oauth2' }>;
  readonly #secrets: Secrets;
  readonly #ask: Ask;
  #known: Known | undefined;
  #fetching: Promise<Known> | undefined;

  constructor(auth: Extract<Auth, { type: 'oauth2' }>, secrets: Secrets, ask: Ask) {
    this.#auth = auth;
    this.#secrets = secrets;
    this.#ask = ask;
  }

  async headers(_message: unknown, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    if (this.#known && performance.now() < this.#known.until) return bearer(this.#known.token);
    // Who asks first fetches it for all; the time that they may take is about the same.
    this.#fetching ??= this.#fetch(signal).finally(() => {
      this.#fetching = undefined;
    });
    this.#known = await this.#fetching;
    return bearer(this.#known.token);
  }

  refused({ authorization }: Readonly<Record<string, string>>): boolean {
    if (this.#known && bearer(this.#known.token).authorization === authorization) this.#known = undefined;
    return true;
  }

  async #fetch(signal: AbortSignal): Promise<Known> {
    const { tokenUrl, clientId, scope, audience } = this.#auth;
    const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
    const client = { client_id: clientId };
    const parameters = { ...(scope === undefined ? {} : { scope }), ...(audience === undefined ? {} : { audience }) };
    const asked = performance.now();
    try {
      const response = await clientCredentialsGrantRequest(server, client, this.#client(), parameters, {
        // Whoever configures http:// is warned of it when the file is loaded.
        [allowInsecureRequests]: true,
        [customFetch]: (url, { method, headers, body }) => this.#send(url, method, headers, body, signal),
      });
      const { access_token, expires_in = 0 } = await processClientCredentialsResponse(server, client, response);
      const life = expires_in * 1000;
      // A token that does not say when it expires is good until it is refused; a short one for half its life at least.
      const until = life > 0 ? asked + Math.max(life - margin, life / 2) : Number.POSITIVE_INFINITY;
      return { token: this.#secrets.hide(access_token), until };
    } catch (error) {
      throw this.#worded(error);
    }
  }

  #client(): ClientAuth {
    const secret = this.#secrets.read(this.#auth.clientSecret);
    return this.#auth.credentials === 'body' ? ClientSecretPost(secret) : ClientSecretBasic(secret);
  }

  async #send(
    url: string,
    method: string,
    headers: Readonly<Record<string, string>>,
    body: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Response> {
    const what = 'fetch an access token';
    for (const value of body.values()) if (body.get('client_secret') === value) this.#secrets.hide(value);
    if (headers.authorization !== undefined) this.#secrets.hide(headers.authorization.replace(/^Basic /, ''));
    const answer = await this.#ask({ url, method, headers, body: body.toString(), what }, signal);
    // Nobody keeps account of tokens: one more of them does no harm.
    if (kindOfStatus(answer.status) === 'unavailable') throw failure({ ...answer, wrote: false }, what);
    if (![200, 400, 401].includes(answer.status)) throw failure({ ...answer, wrote: false }, what, 'misconfigured');
    return new Response(answer.body, { status: answer.status, headers: [...answer.headers] });
  }

  #worded(error: unknown): unknown {
    const reason = reasonOf(error);
    if (reason === undefined) return error;
    const message = `fetch an access token: ${shownUrl(this.#auth.tokenUrl)} answered ${this.#secrets.excerpt(reason)}. Check auth.clientId, auth.clientSecret, auth.scope`;
    return new TargetError('misconfigured', message, { cause: error });
  }
}

function bearer(token: string) {
  return { authorization: `Bearer ${token}` };
}

/** What the server of the tokens said; undefined where it is not it that failed. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof ResponseBodyError)
    return error.error_description === undefined ? error.error : `${error.error}: ${error.error_description}`;
  if (error instanceof WWWAuthenticateChallengeError) return `${error.status}, credentials refused`;
  if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError)
    return `what is no token: ${error.message}`;
  return undefined;
}
