import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/targets/http/target.ts';
import { type Asked, createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';
import { createHttpTarget } from './bench.ts';

const signal = AbortSignal.timeout(60_000);
const names = ['a', 'b', 'c', 'd', 'e'];
let server: WebServer;
let reply: (search: URLSearchParams, asked: Asked) => Reply;
const targets: HttpTarget[] = [];

beforeAll(async () => {
  server = await createWebServer((asked) => reply(new URL(asked.url, 'http://x').searchParams, asked));
});
afterAll(async () => {
  await Promise.all(targets.map((target) => target.close()));
  await server.close();
});
beforeEach(() => {
  server.asked.length = 0;
});

/** The ids that a target with this list operation sees, and what was asked for. */
async function listed(list: object): Promise<{ ids: string[]; asked: string[] }> {
  const person = {
    id: '{uid}',
    idPath: 'login',
    attributes: { login: '{uid}' },
    operations: { save: { path: '/users/{id}' }, list: { path: '/users', ...list } },
  };
  const target = createHttpTarget({ url: server.url, entities: { person } });
  targets.push(target);
  const states = await Array.fromAsync(target.scan?.('person', [], signal) ?? []);
  return {
    ids: states.map(({ remoteId }) => remoteId.slice('person/'.length)),
    asked: server.asked.map(({ url }) => url),
  };
}

const entries = (some: readonly string[]) => some.map((login) => ({ login }));
const json = (body: unknown, headers = {}): Reply => ({ status: 200, headers, body: JSON.stringify(body) });

test('one page is all', async () => {
  reply = () => json(entries(names));
  expect(await listed({})).toEqual({ ids: names, asked: ['/users'] });
});

test('pages have numbers, and the last is empty', async () => {
  reply = (search) =>
    json({ items: entries(names.slice((Number(search.get('p')) - 1) * 2, Number(search.get('p')) * 2)) });
  const pages = { number: 'p', size: { parameter: 'n', value: 2 } };
  const { ids, asked } = await listed({ items: '/items', pages });
  expect(ids).toEqual(names);
  expect(asked).toEqual([1, 2, 3, 4].map((page) => `/users?n=2&p=${page}`));
});

test('pages begin where the one before it ended, though they are shorter than was asked for', async () => {
  reply = (search) =>
    json({ all: 5, items: entries(names.slice(Number(search.get('start')), Number(search.get('start')) + 2)) });
  const { ids, asked } = await listed({
    items: '/items',
    total: '/all',
    pages: { offset: 'start', size: { parameter: 'n', value: 4 } },
  });
  expect(ids).toEqual(names);
  expect(asked).toEqual(['/users?n=4&start=0', '/users?n=4&start=2', '/users?n=4&start=4']);
});

test('pages are found with a cursor, an empty one in the middle included', async () => {
  const pages: Readonly<Record<string, unknown>> = {
    first: { items: entries(['a', 'b']), meta: { next: 'x/1 &' } },
    'x/1 &': { items: [], meta: { next: 7 } },
    7: { items: entries(['c', 'd', 'e']), meta: {} },
  };
  reply = (search) => json(pages[search.get('after') ?? 'first']);
  const { ids } = await listed({
    items: '/items',
    query: { sort: 'login' },
    pages: { cursor: 'after', next: '/meta/next' },
  });
  expect(ids).toEqual(names);
  expect(server.asked.every(({ url }) => url.includes('sort=login'))).toBe(true);
});

test.each([
  ['the Link header', { link: 'next' }],
  ['the answer', { url: '/links/next' }],
])('pages are found by URLs in %s', async (_, pages) => {
  reply = (search) => {
    if (search.get('page') === '2')
      return json({ items: entries(['d', 'e']), links: { next: null } }, { link: '</users>; rel="first"' });
    const next = '/users?page=2';
    return json(
      { items: entries(['a', 'b', 'c']), links: { next } },
      { link: `</users>; rel=first, <${next}>; title="a, b"; rel="last next"` },
    );
  };
  expect(await listed({ items: '/items', pages })).toEqual({ ids: names, asked: ['/users', '/users?page=2'] });
});

test('a page on another server is not asked for', async () => {
  reply = () => json({ items: [], next: 'http://elsewhere.example/users' });
  await expect(listed({ items: '/items', pages: { url: '/next' } })).rejects.toMatchObject({ kind: 'misconfigured' });
});

test.each([
  ['<r><users><user><login>a</login></user><user><login>b</login></user></users></r>', ['a', 'b']],
  ['<r><users><user><login>a</login></user></users></r>', ['a']],
  ['<r><users/></r>', []],
])('entries come in XML: %s', async (body, ids) => {
  reply = () => ({ status: 200, headers: { 'content-type': 'application/xml' }, body });
  expect((await listed({ items: '/r/users/user' })).ids).toEqual(ids);
});

test('XML that is something else is no empty list', async () => {
  reply = () => ({ status: 200, body: '<r><error>sorry</error></r>' });
  await expect(listed({ items: '/r/users/user' })).rejects.toMatchObject({ kind: 'unknown' });
});

test('a list that is not there is no empty one', async () => {
  reply = () => ({ status: 404 });
  await expect(listed({})).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringContaining('path of list'),
  });
});
