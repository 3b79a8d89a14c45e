/** Searches that say so when they did not see everything. */
import type { SearchEntry } from 'ldapts';
import { type Control, type Filter, PagedResultsControl, PresenceFilter, SearchRequest, SearchResponse } from 'ldapts';
import { TargetError } from '../target.ts';
import type { Connection } from './connection.ts';
import { refused } from './errors.ts';

/** An entry as it came: attribute names as the server writes them, values as bytes. */
export interface Found {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
}

export interface Query {
  readonly base: string;
  readonly scope: 'base' | 'sub';
  /** Left out: every entry. */
  readonly filter?: Filter;
  readonly attributes: readonly string[];
  /** Entries that are enough: that there are more is then no error. */
  readonly enough?: number;
}

/** One search, one answer. Throws an `LdapError` for any result but success, `misconfigured` for a referral. */
export async function search(connection: Connection, query: Query, signal: AbortSignal): Promise<Found[]> {
  return (await ask(connection, query, [], signal)).found;
}

/**
 * A search in pages (RFC 2696), for results of any number. It ends when the server says that there is no further page,
 * not when a page is empty. A server keeps one such search per connection: nobody else may search in pages on it.
 */
export async function* pages(
  connection: Connection,
  query: Query,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Found[], void, undefined> {
  let cookie: Buffer | undefined;
  do {
    const value = { size, ...(cookie === undefined ? {} : { cookie }) };
    const { found, controls } = await ask(connection, query, [new PagedResultsControl({ value })], signal);
    yield found;
    cookie = controls.find((control) => control instanceof PagedResultsControl)?.value?.cookie;
  } while (cookie !== undefined && cookie.length > 0);
}

export function toFound(entry: SearchEntry): Found {
  return { dn: entry.name, attributes: new Map(entry.attributes.map((one) => [one.type, one.parsedBuffers])) };
}

async function ask(
  connection: Connection,
  { base, scope, filter = new PresenceFilter({ attribute: 'objectClass' }), attributes, enough = 0 }: Query,
  controls: Control[],
  signal: AbortSignal,
): Promise<{ found: Found[]; controls: Control[] }> {
  const asked = attributes.length === 0 ? ['1.1'] : [...attributes];
  const request = new SearchRequest({
    messageId: 0,
    baseDN: base,
    scope,
    filter,
    attributes: asked,
    timeLimit: 0,
    sizeLimit: enough,
    controls,
  });
  const { result, entries, references } = await connection.request(request, SearchResponse, signal);
  const isEnough = result.status === 4 && enough > 0 && entries.length >= enough;
  if (result.status !== 0 && !isEnough) throw refused(result, { operation: 'search', dn: base });
  if (references.length > 0) {
    const message = `searching ${base} is incomplete: the server refers to ${references.join(', ')} for a part of it`;
    throw new TargetError('misconfigured', message);
  }
  return { found: entries.map(toFound), controls: result.controls ?? [] };
}
