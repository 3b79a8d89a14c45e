import { afterEach, expect, test } from 'vitest';
import type { WebRequest } from '../../../src/targets/web/answer.ts';
import type { WebClient } from '../../../src/targets/web/client.ts';
import { createWebServer, type WebServer } from '../../setup/web-server.ts';
import { createClient } from './bench.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(...[handler, tls]: Parameters<typeof createWebServer>): Promise<WebServer> {
  const server = await createWebServer(handler, tls);
  closing.push(() => server.close());
  return server;
}

function client(...given: Parameters<typeof createClient>): WebClient {
  const made = createClient(...given);
  closing.push(() => made.close());
  return made;
}

const never = AbortSignal.timeout(60_000);
const get: WebRequest = { method: 'GET', path: '/users', what: 'list users' };
const post: WebRequest = {
  method: 'POST',
  path: 'users',
  body: '{}',
  contentType: 'application/json',
  what: 'create anna',
};

test('sends what it is told, below the base, and answers whatever comes', async () => {
  const server = await serve(() => ({ status: 418, headers: { 'X-Pot': 'tea' }, body: '{"é":1}' }));
  const service = client({ url: `${server.url}/v2/`, headers: { 'X-Version': '3', accept: 'text/plain' } });
  const request = { ...post, query: { q: 'a b&c' }, headers: { Accept: 'application/json' } };
  const answer = await service.ask(request, never);
  expect(answer).toMatchObject({ status: 418, body: '{"é":1}', wrote: true, asked: `POST ${server.url}/v2/users` });
  expect(answer.headers.get('x-pot')).toBe('tea');
  expect(server.asked).toMatchObject([
    {
      method: 'POST',
      url: '/v2/users?q=a+b%26c',
      body: '{}',
      headers: { 'x-version': '3', accept: 'application/json', 'content-type': 'application/json' },
    },
  ]);
});

test('goes to absolute URLs of the same server only', async () => {
  const server = await serve(() => ({ status: 200 }));
  const service = client({ url: `${server.url}/v2`, auth: { type: 'bearer', token: 'sesame-open' } });
  await service.ask({ ...get, path: `${server.url}/v2/users?page=2` }, never);
  expect(server.asked[0]?.url).toBe('/v2/users?page=2');
  const other = service.ask({ ...get, path: 'http://elsewhere.example/users' }, never);
  await expect(other).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringContaining('elsewhere.example'),
  });
});

test('is sure that nothing was done where nobody listens', async () => {
  const server = await createWebServer(() => undefined);
  await server.close();
  const asked = client({ url: server.url }).ask(post, never);
  await expect(asked).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
});

test.each([
  ['a write', post, true],
  ['a question', get, false],
])('whether anything was done is open where the answer to %s is cut off', async (_, request, unsure) => {
  const server = await serve(() => server.cut() ?? undefined);
  await expect(client({ url: server.url }).ask(request, never)).rejects.toMatchObject({ kind: 'unavailable', unsure });
});

test('an answer that is cut off in the middle is none', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => server.cut());
    return undefined;
  });
  await expect(client({ url: server.url }).ask(post, never)).rejects.toMatchObject({
    kind: 'unavailable',
    unsure: true,
  });
});

test('gives up a request that takes longer than the time limit, or than its caller waits', async () => {
  const server = await serve(() => undefined);
  const slow = client({ url: server.url, timeout: 50 }).ask(post, never);
  await expect(slow).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
  const impatient = client({ url: server.url }).ask(get, AbortSignal.timeout(50));
  await expect(impatient).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
});

test('sends nothing for whoever has given up already', async () => {
  const server = await serve(() => ({ status: 200 }));
  const late = client({ url: server.url }).ask(post, AbortSignal.abort());
  await expect(late).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
  expect(server.asked).toEqual([]);
});

test('a request that never got its connection did nothing', async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const server = await serve(() => void arrive());
  // One connection, taken by a request that waits: the other never gets its turn.
  const service = client({ url: server.url, slots: 1, concurrency: 1, timeout: 30_000 });
  const impatience = new AbortController();
  const first = service.ask(post, impatience.signal);
  await arrived;
  await expect(service.ask(post, AbortSignal.timeout(50))).rejects.toMatchObject({
    kind: 'unavailable',
    unsure: false,
  });
  impatience.abort();
  await expect(first).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
});

test('reads no more than it may', async () => {
  const server = await serve(() => ({ status: 200, body: 'x'.repeat(5_000) }));
  const service = client({ url: server.url, maxAnswer: 4_000 });
  await expect(service.ask(post, never)).rejects.toMatchObject({ kind: 'unknown', unsure: true });
  await expect(service.ask(get, never)).rejects.toMatchObject({
    unsure: false,
    message: expect.stringContaining('maxAnswer'),
  });
});

test('follows no redirect', async () => {
  const server = await serve(({ url }) =>
    url === '/users' ? { status: 307, headers: { location: '/moved' } } : { status: 200 },
  );
  expect(await client({ url: server.url }).ask(post, never)).toMatchObject({ status: 307 });
  expect(server.asked).toHaveLength(1);
});

test('keeps connections, and opens no more than it may', async () => {
  const open = new Set<unknown>();
  let most = 0;
  const server = await serve(async (_, { socket }) => {
    open.add(socket);
    most = Math.max(most, open.size);
    return { status: 200 };
  });
  const service = client({ url: server.url, slots: 1, concurrency: 2 });
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 6 }, () => service.ask(get, never)));
  expect(server.asked).toHaveLength(18);
  expect(most).toBe(2);
});

test('asks once more when the server says to come again in a moment, and holds everybody until then', async () => {
  const at: number[] = [];
  const server = await serve(() => {
    at.push(performance.now());
    return at.length === 1 ? { status: 429, headers: { 'retry-after': '1' } } : { status: 200 };
  });
  const service = client({ url: server.url });
  const first = service.ask(post, never);
  const [start = 0] = await Promise.all([first.then(() => at[0])]);
  expect((await first).status).toBe(200);
  expect((at[1] ?? 0) - start).toBeGreaterThan(950);
});

test.each([
  ['429 for longer than is waited', post, { status: 429, headers: { 'retry-after': '30' } }],
  ['503 to a write that might be done twice', post, { status: 503, headers: { 'retry-after': '0' } }],
  ['503 that does not say when', get, { status: 503 }],
])('gives on %s', async (_, request, reply) => {
  const server = await serve(() => reply);
  expect((await client({ url: server.url }).ask(request, never)).status).toBe(reply.status);
  expect(server.asked).toHaveLength(1);
});

test('shows no secret that the service repeats', async () => {
  const server = await serve(({ headers, body }) => ({
    status: 400,
    body: `bad\n${headers.authorization} ${headers['x-api-key']} ${body}`,
  }));
  const service = client({
    url: server.url,
    auth: { type: 'basic', user: 'us', password: 'open "sesame"' },
    headers: { 'X-Api-Key': 'k-123456789' },
  });
  const body = JSON.stringify({ password: 'quo"ted' });
  const { excerpt } = await service.ask({ ...post, body, secrets: ['quo"ted'] }, never);
  expect(excerpt).toBe('bad Basic ******** ******** {"password":"********"}');
});
