/** What is asked of a web service, and what it answers. */

export interface WebRequest {
  readonly method: string;
  /** Relative to the base URL, or an absolute URL on the same server. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** They stand beside those of the configuration and overrule them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  /** What is being done, for messages: `create anna`. */
  readonly what: string;
  /** Which message this is, the same when it is sent again: the `webhook-id` of a signed one. Default: another each time. */
  readonly id?: string;
  /** Values that nobody may see again, wherever the service repeats them. */
  readonly secrets?: readonly string[];
}

export interface WebAnswer {
  readonly status: number;
  /** Names in lower case; several values of one are separated by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The beginning of the body as it may be shown: one line, secrets masked. */
  readonly excerpt: string;
  /** Any text of it as it may be shown: one line, secrets masked. */
  shown(text: string): string;
  /** Where it was asked: what relative URLs in it refer to. Not for messages. */
  readonly url: string;
  /** What was asked, as it may be shown: `POST https://api.example.org/users`. */
  readonly asked: string;
  /** Whether something may have been done: the request was no mere question. */
  readonly wrote: boolean;
}

/** Whether a method only asks (RFC 9110 §9.2.1). */
export function isSafe(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS'].includes(method.toUpperCase());
}

/** Whether a request may go out once more without doing anything twice (RFC 9110 §9.2.2). */
export function isIdempotent(method: string): boolean {
  return isSafe(method) || ['PUT', 'DELETE'].includes(method.toUpperCase());
}
