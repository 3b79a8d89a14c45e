/**
 * Many changes in one request (RFC 7644 §3.7): what is asked for within a moment goes out together, within what the
 * service takes, and each gets the answer to its own operation. Without bulk each goes out by itself.
 */

import { type Document, isDocument } from '../document.ts';
import { TargetError } from '../target.ts';
import { type Answer, answerOf, isSuccess, misdirected } from './answer.ts';
import type { Features } from './description.ts';
import { documentsIn, member, textIn } from './json.ts';
import type { Request, Service } from './service.ts';

/** How long changes are waited for that may go along, in milliseconds. */
const moment = 5;

const requestSchema = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

/** So many bytes a bulk request has beside its operations, at most. */
const envelope = 256;

interface Waiting {
  readonly request: Request;
  readonly signal: AbortSignal;
  readonly operation: Document;
  readonly bytes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class Bulk {
  readonly #service: Service;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
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
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ request, signal, operation, bytes, resolve, reject });
    this.#timer ??= setTimeout(() => this.#leave(bulk), moment);
    return promise;
  }

  #leave(limits: NonNullable<Features['bulk']>): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#timer = undefined;
    for (const batch of batches(waiting, limits)) void this.#deliver(batch);
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

  /** Settles every one of a batch. */
  async #deliver(batch: readonly Waiting[]): Promise<void> {
    const [only] = batch;
    if (only === undefined) return;
    if (batch.length === 1) return this.#alone(only);
    const what = `send ${batch.length} changes at once`;
    const secrets = batch.flatMap(({ request }) => request.secrets ?? []);
    const body = { schemas: [requestSchema], Operations: batch.map(({ operation }) => operation) };
    try {
      const signal = AbortSignal.any(batch.map((waiting) => waiting.signal));
      const answer = await this.#service.send({ method: 'POST', path: 'Bulk', body, what, secrets }, signal);
      if (isSuccess(answer)) this.#share(answer, batch);
      else if (isRefused(answer)) await Promise.all(batch.map((waiting) => this.#alone(waiting)));
      else throw misdirected(answer, what);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #alone({ request, signal, resolve, reject }: Waiting): Promise<void> {
    await this.#service.send(request, signal).then(resolve, reject);
  }

  #share(answer: Answer, batch: readonly Waiting[]): void {
    const results = documentsIn(answer.document && member(answer.document, 'Operations'));
    for (const [index, waiting] of batch.entries()) {
      const { request, operation, resolve, reject } = waiting;
      const result = resultOf(operation, results, results.length === batch.length ? index : undefined);
      const status = result && statusOf(result);
      if (result === undefined || status === undefined)
        reject(new TargetError('unknown', `${request.what}: the service said nothing of it`, { unsure: true }));
      else resolve(answerIn(result, status, request, answer));
    }
  }
}

/** In the order of coming, each batch within the limits. */
function batches(waiting: readonly Waiting[], { operations, bytes }: NonNullable<Features['bulk']>): Waiting[][] {
  const all: Waiting[][] = [];
  let size = 0;
  for (const one of waiting) {
    const last = all.at(-1);
    if (last === undefined || last.length >= operations || size + one.bytes > bytes) {
      all.push([one]);
      size = envelope + one.bytes;
    } else {
      last.push(one);
      size += one.bytes;
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
