/** A target's dealings with its service: requests and answers, and what the service said of itself. */
import type { ScimConfig } from '../../config/scim.ts';
import { shownUrl } from '../../config/shown-url.ts';
import type { Document } from '../document.ts';
import { TargetError } from '../target.ts';
import { WebClient } from '../web/client.ts';
import { type Answer, answerOf, isSuccess, misdirected, scimTypeOf } from './answer.ts';
import { type Description, describe, type Features } from './description.ts';
import { documentsIn } from './json.ts';

/** A request (RFC 7644 §3.2). */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Relative to the base URL. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Document;
  /** The version that it is a change of. */
  readonly etag?: string | undefined;
  /** What is being done, for messages. */
  readonly what: string;
  /** Values that nobody may see again. */
  readonly secrets?: readonly string[];
}

/** Answers that mean: I have nothing of the kind. */
const notOffered = [400, 403, 404, 405, 406, 410, 501];

const mediaType = 'application/scim+json';

export class Service {
  readonly config: ScimConfig;
  readonly #client: WebClient;
  #expected: string | undefined;
  #description: Promise<Description> | undefined;
  #known: Description | undefined;
  /** What the service was found not to do, whatever it says. */
  #denied: Partial<Features> = {};

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: ScimConfig, folder: string) {
    this.config = config;
    this.#client = new WebClient(config, folder);
  }

  /** Which service this is: its base URL. */
  get identity(): string {
    return shownUrl(this.config.url);
  }

  /** From now on, another service is of no use (PROTOCOL C5). Undefined: any will do. */
  expect(identity: string | undefined): void {
    this.#expected = identity;
  }

  /** What the service said of itself when it was last asked; undefined before. */
  get known(): Description | undefined {
    return this.#known;
  }

  /** What the service says of itself; asked once for all who need it, until `refresh`, or again if that failed. */
  describe(): Promise<Description> {
    this.#description ??= this.#ask(AbortSignal.timeout(this.config.timeout)).catch((error: unknown) => {
      this.#description = undefined;
      throw error;
    });
    return this.#description;
  }

  async features(): Promise<Features> {
    const { features } = await this.describe();
    return { ...features, ...this.#denied };
  }

  /** Asks it anew what it is, when that is next needed. */
  refresh(): void {
    this.#description = undefined;
    this.#denied = {};
  }

  /** Takes note that it does not do what it says, or what was taken for granted. */
  deny(feature: 'patch' | 'filter' | 'attributes'): void {
    this.#denied = { ...this.#denied, [feature]: false };
  }

  /** Sends a request. Throws TargetError where there is no answer. */
  async send({ method, path, query, body, etag, what, secrets = [] }: Request, signal: AbortSignal): Promise<Answer> {
    if (this.#expected !== undefined && this.#expected !== this.identity) throw this.#stranger(this.#expected);
    const headers = { accept: `${mediaType}, application/json`, ...(etag === undefined ? {} : { 'if-match': etag }) };
    const content = body === undefined ? {} : { body: JSON.stringify(body), contentType: mediaType };
    const hidden = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]); // JSON within JSON
    const answer = await this.#client.ask(
      { method, path, headers, ...(query ? { query } : {}), ...content, what, secrets: hidden },
      signal,
    );
    return answerOf(answer);
  }

  /**
   * Asks for resources. `attributes`: what is wanted of them; undefined: everything. A service that refuses to be asked so
   * is asked for everything.
   */
  async ask(
    { query, ...request }: Omit<Request, 'method' | 'body' | 'etag'>,
    attributes: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const whole = { ...request, method: 'GET' as const, ...(query ? { query } : {}) };
    if (attributes === undefined || !(await this.features()).attributes) return this.send(whole, signal);
    const answer = await this.send({ ...whole, query: { ...query, attributes: attributes.join(',') } }, signal);
    const isFilter = ['invalidfilter', 'toomany'].includes(scimTypeOf(answer)?.toLowerCase() ?? '');
    if (isFilter || (answer.status !== 400 && answer.status !== 501)) return answer;
    const again = await this.send(whole, signal);
    if (isSuccess(again)) this.deny('attributes');
    return again;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #ask(signal: AbortSignal): Promise<Description> {
    const [provider, resourceTypes, schemas] = await Promise.all([
      this.#discover('ServiceProviderConfig', signal),
      this.#discover('ResourceTypes', signal),
      this.#discover('Schemas', signal),
    ]);
    const said = {
      provider,
      resourceTypes: documentsIn(resourceTypes?.Resources),
      schemas: documentsIn(schemas?.Resources),
    };
    this.#known = describe(said, this.config);
    return this.#known;
  }

  /** Undefined where the service has nothing of the kind. */
  async #discover(path: string, signal: AbortSignal): Promise<Document | undefined> {
    const what = `ask what the service is`;
    const answer = await this.send({ method: 'GET', path, what }, signal);
    if (isSuccess(answer)) return answer.document;
    if (notOffered.includes(answer.status)) return undefined;
    throw misdirected(answer, what);
  }

  #stranger(expected: string): TargetError {
    const message = `${this.identity} is another service than the one that the links belong to (${expected}): correct its url, or, if it is to take the other's place, run \`staffetta accept-target\``;
    return new TargetError('misconfigured', message);
  }
}
