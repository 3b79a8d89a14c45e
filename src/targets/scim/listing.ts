/**
 * Resources of a type, page by page (RFC 7644 §3.4.2.4, or with cursors RFC 9865). Whoever reads to the end has seen every
 * one: whatever makes that doubtful is a failure.
 */
import type { Document } from '../document.ts';
import { TargetError } from '../target.ts';
import { type Answer, isSuccess, misdirected, unreadable } from './answer.ts';
import type { ResourceType } from './description.ts';
import { documentsIn, member, numberIn, textIn } from './json.ts';
import type { Service } from './service.ts';

/** What is looked for. */
export interface Query {
  readonly type: ResourceType;
  /** Left out: every resource of the type. */
  readonly filter?: string;
  /** The attributes to be shown, in the words of the service; undefined: whatever it shows. */
  readonly attributes: readonly string[] | undefined;
  /** What is being done, for messages. */
  readonly what: string;
}

/** A filter that the service does not take, or not this one. */
export class FilterRefused extends Error {
  override readonly name = 'FilterRefused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('the service refused a filter');
    this.answer = answer;
  }
}

/** Throws TargetError, or FilterRefused before it has answered anything. */
export async function* list(service: Service, query: Query, signal: AbortSignal): AsyncGenerator<Document[]> {
  const { cursor, page } = await service.features();
  const count = Math.max(1, Math.min(service.config.pageSize, page ?? Number.POSITIVE_INFINITY));
  const seen = new Set<string>();
  let next: Readonly<Record<string, string>> | undefined = cursor ? { cursor: '' } : { startIndex: '1' };
  let total: number | undefined;
  while (next !== undefined) {
    const answer = await ask(service, query, { ...next, count: String(count) }, signal);
    const document = readable(answer, query);
    const resources = documentsIn(member(document, 'Resources'));
    const known = numberIn(document, 'totalResults');
    if (!cursor) checkIndex(document, Number(next.startIndex), query);
    for (const resource of resources) take(resource, seen, query);
    // With cursors the total may be that of a page, and an end is told by itself.
    total = cursor ? (total ?? known) : checkTotal(total, known, query);
    next = cursor ? nextCursor(document, next, query) : nextIndex(resources.length, seen.size, total, query);
    yield resources;
  }
  if (total !== undefined && seen.size < total) throw incomplete(query, `it showed ${seen.size} of ${total}`);
}

async function ask(
  service: Service,
  { type, filter, attributes, what }: Query,
  page: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const query = {
    ...(filter === undefined ? {} : { filter }),
    ...page,
  };
  const answer = await service.ask({ path: type.endpoint, query, what }, attributes, signal);
  if (isSuccess(answer)) return answer;
  if (filter !== undefined && [400, 403, 413, 414, 431, 501].includes(answer.status)) throw new FilterRefused(answer);
  service.refresh(); // it may have become another than it said
  throw misdirected(answer, what);
}

function readable(answer: Answer, { what }: Query): Document {
  const { document } = answer;
  if (!isList(document)) throw unreadable(answer, what, 'list of resources');
  return document;
}

/** Whether an answer is a list of resources; an empty one may have none (RFC 7644 §3.4.2). */
export function isList(document: Document | undefined): document is Document {
  if (document === undefined) return false;
  return Array.isArray(member(document, 'Resources')) || numberIn(document, 'totalResults') === 0;
}

function take(resource: Document, seen: Set<string>, query: Query): void {
  const id = textIn(resource, 'id');
  if (id === undefined) throw incomplete(query, 'it showed a resource without an id');
  if (seen.has(id)) throw incomplete(query, `it showed ${id} twice`);
  seen.add(id);
}

/** Some services answer the same page whatever is asked. */
function checkIndex(document: Document, asked: number, query: Query): void {
  const answered = numberIn(document, 'startIndex');
  if (answered !== undefined && answered !== asked)
    throw incomplete(query, `asked for resources from ${asked} on, it showed those from ${answered} on`);
}

/** What is removed meanwhile moves the rest forward, past where the next page begins. */
function checkTotal(before: number | undefined, now: number | undefined, query: Query): number | undefined {
  if (before !== undefined && now !== undefined && now < before)
    throw incomplete(query, `it had ${before} resources, then ${now}`);
  return now ?? before;
}

function nextIndex(shown: number, seen: number, total: number | undefined, query: Query) {
  if (total === undefined) throw incomplete(query, 'it does not say how many there are (totalResults)');
  if (seen >= total) return undefined;
  if (shown === 0) throw incomplete(query, `it showed ${seen} of ${total}, and then none`);
  return { startIndex: String(seen + 1) };
}

function nextCursor(document: Document, { cursor }: Readonly<Record<string, string>>, query: Query) {
  const next = textIn(document, 'nextCursor');
  if (next !== undefined && next === cursor) throw incomplete(query, 'it answered with the same cursor again');
  return next === undefined ? undefined : { cursor: next };
}

/** It may be whole another time: something changed meanwhile. */
function incomplete({ what }: Query, reason: string): TargetError {
  return new TargetError('unavailable', `${what}: the service's list is not complete: ${reason}`);
}
