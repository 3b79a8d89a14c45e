/**
 * Many changes in one request (RFC 7644 §3.7), as many as the service takes, and each gets the answer to its own operation.
 * Without bulk each goes out by itself.
 */
import { type Document, isDocument } from '../document.ts';
import { Gathering, type Waiting } from '../gathering.ts';
import { TargetError } from '../target.ts';
import { type Answer, answerOf, isSuccess, misdirected } from './answer.ts';
import type { Features } from './description.ts';
import { documentsIn, member, textIn } from './json.ts';
import type { Request, Service } from './service.ts';

const requestSchema = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

/** So many bytes a bulk request has beside its operations, at most. */
const envelope = 256;

/** One change among others. */
interface Item {
  readonly what: string;
  readonly request: Request;
  readonly operation: Document;
  readonly bytes: number;
}

type Waits = Waiting<Item, Answer>;
type Limits = NonNullable<Features['bulk']>;

export class Bulk {
  readonly #service: Service;
  readonly #gathering = new Gathering<Item, Answer>({
    divide: (all) => batches(all, this.#limits),
    carry: (some) => this.#carry(some),
  });
  #limits: Limits = { operations: 1, bytes: 0 };
  #count = 0;

  constructor(service: Service) {
    this.#service = service;
  }

  /** Sends a change. Throws TargetError where there is no answer to it. */
  async send(request: Request, signal: AbortSignal): Promise<Answer> {
    const { bulk } = await this.#service.features();
    if (bulk === undefined) return this.#service.send(request, signal);
    const operation = this.#operation(request);
    const bytes = Buffer.byteLength(JSON.stringify(operation)) + 1;
    if (bytes + envelope > bulk.bytes) return this.#service.send(request, signal);
    this.#limits = bulk;
    return this.#gathering.send({ what: request.what, request, operation, bytes }, signal);
  }

  #operation({ method, path, body, etag }: Request): Document {
    this.#count += 1;
    return {
      method,
      path: `/${path}`,
      ...(method === 'POST' ? { bulkId: `s${this.#count}` } : {}),
      ...(etag === undefined ? {} : { version: etag }),
      ...(body === undefined ? {} : { data: body }),
    };
  }

  async #carry(some: readonly Waits[]): Promise<void> {
    const [only] = some;
    if (only === undefined) return;
    if (some.length === 1) return this.#alone(only);
    const what = `send ${some.length} changes at once`;
    const secrets = some.flatMap(({ item }) => item.request.secrets ?? []);
    const body = { schemas: [requestSchema], Operations: some.map(({ item }) => item.operation) };
    const answer = await this.#service.send({ method: 'POST', path: 'Bulk', body, what, secrets }, patient());
    if (isSuccess(answer)) this.#share(answer, some);
    else if (isRefused(answer)) await Promise.all(some.map((waits) => this.#alone(waits)));
    else throw misdirected(answer, what);
  }

  async #alone({ item, done, fail }: Waits): Promise<void> {
    await this.#service.send(item.request, patient()).then(done, fail);
  }

  #share(answer: Answer, some: readonly Waits[]): void {
    const results = documentsIn(answer.document && member(answer.document, 'Operations'));
    for (const [index, { item, done, fail }] of some.entries()) {
      const { request, operation, what } = item;
      const result = resultOf(operation, results, results.length === some.length ? index : undefined);
      const status = result && statusOf(result);
      if (result === undefined || status === undefined)
        fail(new TargetError('unknown', `${what}: the service said nothing of it`, { unsure: true }));
      else done(answerIn(result, status, request, answer));
    }
  }
}

/** Each of those who wait has a time limit of its own; a request has that of the client. */
function patient(): AbortSignal {
  return new AbortController().signal;
}

/** In the order of coming, each batch within the limits. */
function batches(waiting: readonly Waits[], { operations, bytes }: Limits): Waits[][] {
  const all: Waits[][] = [];
  let size = 0;
  for (const one of waiting) {
    const last = all.at(-1);
    if (last === undefined || last.length >= operations || size + one.item.bytes > bytes) {
      all.push([one]);
      size = envelope + one.item.bytes;
    } else {
      last.push(one);
      size += one.item.bytes;
    }
  }
  return all;
}

/** Whether the request as such was refused, and nothing done: each change may go out by itself. */
function isRefused({ status }: Answer): boolean {
  return (status >= 400 && status < 500 && ![401, 403, 407, 408, 425, 429].includes(status)) || status === 501;
}

/** The result of an operation: by what it was called, by what it was about, or by its turn. */
function resultOf(operation: Document, results: readonly Document[], turn: number | undefined): Document | undefined {
  const { method, path, bulkId } = operation;
  if (typeof bulkId === 'string') {
    const own = results.find((result) => textIn(result, 'bulkId') === bulkId);
    if (own !== undefined) return own;
  } else {
    const same = results.filter(
      (result) => textIn(result, 'method') === method && textIn(result, 'location')?.endsWith(String(path)),
    );
    if (same.length === 1) return same[0];
  }
  const inTurn = turn === undefined ? undefined : results[turn];
  return inTurn !== undefined && textIn(inTurn, 'method') === method ? inTurn : undefined;
}

/** `"201"`, 201, or as drafts of the RFC had it `{ "code": "201" }`. */
function statusOf(result: Document): number | undefined {
  const given = member(result, 'status');
  const status = Number(isDocument(given) ? member(given, 'code') : given);
  return Number.isInteger(status) && status >= 100 ? status : undefined;
}

function answerIn(result: Document, status: number, { method, path }: Request, { web }: Answer): Answer {
  const response = member(result, 'response');
  const body = isDocument(response) ? JSON.stringify(response) : '';
  const headers = [
    ['location', textIn(result, 'location')],
    ['etag', textIn(result, 'version')],
  ].flatMap(([name = '', value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
  return answerOf({
    ...web,
    status,
    headers: new Map(headers),
    body,
    excerpt: web.shown(body),
    asked: `${method} /${path} in ${web.asked}`,
  });
}
