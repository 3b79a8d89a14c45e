/** One operation of an entity: what is sent for it, and what the answer means. Templates are read once. */
import type { OperationConfig } from '../../config/http-operation.ts';
import type { Json } from '../document.ts';
import { TargetError } from '../target.ts';
import type { WebAnswer, WebRequest } from '../web/answer.ts';
import type { WebClient } from '../web/client.ts';
import { JsonBody } from './json-body.ts';
import { Path } from './path.ts';
import { type Scope, Text } from './scope.ts';
import { failureOf, type Meanings } from './verdict.ts';
import { XmlBody } from './xml-body.ts';

/** A way to write the body, and what it is. */
interface Body {
  readonly type: string;
  readonly names: readonly string[];
  json?(scope: Scope): Json;
  fill(scope: Scope): string;
}

/** What a body of JSON may be called, and what that is. */
const documents: Readonly<Record<string, { readonly type: string; readonly name: string }>> = {
  whole: { type: 'application/json', name: 'document' },
  merge: { type: 'application/merge-patch+json', name: 'merge' },
  patch: { type: 'application/json-patch+json', name: 'patch' },
};

/** What goes beside what the configuration says. */
export interface More {
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly id?: string;
  readonly secrets: readonly string[];
  /** Instead of the path of the configuration: the URL of a next page. */
  readonly url?: string;
  readonly query?: Readonly<Record<string, string>>;
}

export class Operation {
  readonly method: string;
  readonly path: Path;
  /** What its body is; undefined: it has none. */
  readonly body: Body | undefined;
  readonly #config: OperationConfig;
  readonly #query: readonly (readonly [string, Text])[];
  readonly #headers: readonly (readonly [string, Text])[];
  readonly #faults: Meanings;

  /** `usual`: what a configuration that does not say so means. Throws where a template or XML cannot be read, which loading the configuration tells. */
  constructor(config: OperationConfig, usual: { readonly method: string; readonly json?: string }, faults: Meanings) {
    this.#config = config;
    this.#faults = faults;
    this.method = config.method ?? usual.method;
    this.path = new Path(config.path);
    this.body = bodyOf(config, usual.json);
    this.#query = Object.entries(config.query).map(([name, text]) => [name, new Text(text)] as const);
    this.#headers = Object.entries(config.headers).map(([name, text]) => [name, new Text(text)] as const);
  }

  /** The placeholders in it. */
  get names(): readonly string[] {
    const texts = [...this.#query, ...this.#headers].flatMap(([, text]) => text.names);
    return [...this.path.names, ...texts, ...(this.body?.names ?? [])];
  }

  /** Whether each parameter of its path and URL stands for something. */
  isFilled(scope: Scope): boolean {
    return this.path.isFilled(scope) && this.#query.every(([, text]) => text.text(scope) !== undefined);
  }

  /** What is sent. `where`: what placeholders stand for outside of the body, where that is something else. */
  request(scope: Scope, more: More, where: Scope = scope): WebRequest {
    const { contentType } = this.#config;
    const body = this.body?.fill(scope);
    const type = contentType ?? this.body?.type;
    return {
      method: this.method,
      path: more.url ?? this.path.fill(where),
      query: more.url === undefined ? { ...filled(this.#query, where), ...more.query } : {},
      headers: {
        accept: 'application/json, application/xml;q=0.9, */*;q=0.1',
        ...checked(filled(this.#headers, where)),
        ...more.headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(body === undefined || type === undefined ? {} : { contentType: type }),
      what: more.what,
      ...(more.id === undefined ? {} : { id: more.id }),
      secrets: more.secrets,
    };
  }

  /** Asks it. Throws what the answer means, where that is a failure. */
  async ask(client: WebClient, request: WebRequest, signal: AbortSignal): Promise<WebAnswer> {
    const answer = await client.ask(request, signal);
    const failure = this.failureOf(answer, request.what);
    if (failure) throw failure;
    return answer;
  }

  failureOf(answer: WebAnswer, what: string): TargetError | undefined {
    return failureOf(answer, what, this.#config.status, this.#faults);
  }
}

function bodyOf({ json, form, xml }: OperationConfig, usual: string | undefined): Body | undefined {
  if (xml !== undefined) {
    const body = new XmlBody(xml);
    return { type: 'text/xml; charset=utf-8', names: body.names, fill: (scope) => body.fill(scope) };
  }
  if (form !== undefined) return formOf(form);
  const source = json ?? usual;
  if (source === undefined) return undefined;
  const named = typeof source === 'string' ? documents[source] : undefined;
  const body = new JsonBody(named ? `{${named.name}}` : source);
  return {
    type: named?.type ?? 'application/json',
    names: body.names,
    json: (scope) => body.fill(scope),
    fill: (scope) => JSON.stringify(body.fill(scope)),
  };
}

function formOf(form: Readonly<Record<string, string>>): Body {
  const fields = Object.entries(form).map(([name, text]) => [name, new Text(text)] as const);
  return {
    type: 'application/x-www-form-urlencoded',
    names: fields.flatMap(([, text]) => text.names),
    fill: (scope) => {
      const pairs = fields.flatMap(([name, text]) =>
        [text.json(scope) ?? []]
          .flat()
          .map((value) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
      );
      return new URLSearchParams(pairs).toString();
    },
  };
}

function filled(texts: readonly (readonly [string, Text])[], scope: Scope): Record<string, string> {
  return Object.fromEntries(
    texts.flatMap(([name, text]) => {
      const value = text.text(scope);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** A header is one line of visible characters (RFC 9110 §5.5). */
function checked(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new TargetError(
        'rejected',
        `the header ${name} would hold a character that no header takes; correct it at its source`,
      );
  }
  return headers;
}
