/** Entries that come in pages: every one of them, or a failure. */
import type { ListingConfig, PagesConfig } from '../../config/http-operation.ts';
import type { Json } from '../document.ts';
import { TargetError } from '../target.ts';
import type { WebAnswer } from '../web/answer.ts';
import type { WebClient } from '../web/client.ts';
import { neededContentOf } from './content.ts';
import type { More, Operation } from './operation.ts';
import { at } from './pointer.ts';
import type { Scope } from './scope.ts';

/** What asks for the next page; undefined: that was the last. */
type Next = Pick<More, 'url' | 'query'> | undefined;

/**
 * Every item of a listing. Throws `unknown` where a page is none, repeats the one before it, or where in the end there are
 * not as many as the service says that there are.
 */
export async function* itemsOf(
  operation: Operation,
  config: ListingConfig,
  client: WebClient,
  given: { readonly scope: Scope; readonly what: string; readonly secrets: readonly string[] },
  signal: AbortSignal,
): AsyncGenerator<Json, void, undefined> {
  const { scope, what, secrets } = given;
  let next: Next = first(config.pages);
  let count = 0;
  let total: number | undefined;
  let former = '';
  while (next !== undefined) {
    const answer = await operation.ask(client, operation.request(scope, { what, secrets, ...next }), signal);
    const content = neededContentOf(answer, what);
    const items = listAt(content, config.items, answer, what);
    const text = JSON.stringify(items);
    if (items.length > 0 && text === former) {
      const message = `${what}: ${answer.asked} answered the same page twice; check \`pages:\``;
      throw new TargetError('unknown', message);
    }
    former = text;
    yield* items;
    count += items.length;
    total = numberAt(content, config.total, answer, what);
    next = following(config.pages, { answer, content, count, items, isAll: count === total });
  }
  if (total !== undefined && total !== count) {
    const message = `${what}: the service says that there are ${total}, but told of ${count}; it may have changed meanwhile`;
    throw new TargetError('unknown', message);
  }
}

function first(pages: PagesConfig | undefined): Pick<More, 'url' | 'query'> {
  if (pages === undefined || 'cursor' in pages || 'link' in pages || 'url' in pages) return {};
  return { query: { ...sized(pages), ['number' in pages ? pages.number : pages.offset]: String(pages.first) } };
}

interface Page {
  readonly answer: WebAnswer;
  readonly content: Json;
  readonly items: readonly Json[];
  /** So many have come, with this page. */
  readonly count: number;
  /** Whether that is all, as the service says. */
  readonly isAll: boolean;
}

function following(pages: PagesConfig | undefined, page: Page): Next {
  if (pages === undefined) return undefined;
  if ('link' in pages) return onward(linkIn(page.answer.headers.get('link') ?? ''), page);
  if ('url' in pages) return onward(textOf(at(page.content, pages.url)), page);
  if ('cursor' in pages) {
    const cursor = textOf(at(page.content, pages.next));
    return cursor === '' ? undefined : { query: { [pages.cursor]: cursor } };
  }
  // A page that is short may only be shorter than was asked for: the last is an empty one.
  if (page.isAll || page.items.length === 0) return undefined;
  if ('offset' in pages) return { query: { ...sized(pages), [pages.offset]: String(pages.first + page.count) } };
  const before = Number(new URL(page.answer.url).searchParams.get(pages.number));
  return { query: { ...sized(pages), [pages.number]: String(before + 1) } };
}

function sized({ size }: Extract<PagesConfig, { first: number }>): Record<string, string> {
  return size === undefined ? {} : { [size.parameter]: String(size.value) };
}

function onward(url: string, { answer }: Page): Next {
  return url === '' ? undefined : { url: new URL(url, answer.url).href };
}

/** The target of the link whose relation is `next` (RFC 8288 §3); '' where there is none. */
function linkIn(header: string): string {
  for (const [, url = '', parameters = ''] of header.matchAll(
    /<([^>]*)>((?:\s*;\s*[^;,="]+(?:=(?:"[^"]*"|[^;,"]*))?)*)/g,
  )) {
    const [, quoted, plain = ''] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^;,\s]*))/i.exec(parameters) ?? [];
    if ((quoted ?? plain).toLowerCase().split(/\s+/).includes('next')) return url;
  }
  return '';
}

/** A list; of XML, one element is no list, and none is not even there. */
function listAt(content: Json, pointer: string, answer: WebAnswer, what: string): readonly Json[] {
  const found = at(content, pointer);
  if (isList(found)) return found;
  const isXml = answer.body.trimStart().startsWith('<');
  if (isXml && typeof found === 'object' && found !== null) return [found];
  const above = at(content, pointer.replace(/\/[^/]*$/, ''));
  if (isXml && pointer !== '' && (found === undefined || found === '') && above !== undefined) return [];
  throw new TargetError('unknown', `${what}: ${answer.asked} answered no list at "${pointer}": ${answer.excerpt}`);
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

function numberAt(content: Json, pointer: string | undefined, answer: WebAnswer, what: string): number | undefined {
  if (pointer === undefined) return undefined;
  const number = Number(textOf(at(content, pointer)) || Number.NaN);
  if (Number.isInteger(number)) return number;
  throw new TargetError('unknown', `${what}: ${answer.asked} answered no number at "${pointer}": ${answer.excerpt}`);
}

function textOf(json: Json | undefined): string {
  return typeof json === 'string' || typeof json === 'number' ? String(json) : '';
}
