import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';
import { createClient } from './bench.ts';

const never = AbortSignal.timeout(60_000);
const get = { method: 'GET', path: '/users', what: 'list users' } as const;
const folder = mkdtempSync(join(tmpdir(), 'staffetta-credentials-'));
afterAll(() => rmSync(folder, { recursive: true }));

let server: WebServer;
/** The Authorization header that the service takes. */
let accepted: string;
/** What its server of tokens answers, in turn. */
let tokens: Reply[];

beforeAll(async () => {
  server = await createWebServer(({ url, headers }) => {
    if (url === '/token') return tokens.shift() ?? { status: 500 };
    return { status: headers.authorization === accepted ? 200 : 401 };
  });
});
afterAll(() => server.close());
afterEach(() => {
  server.asked.length = 0;
});

const json = (status: number, body: object): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const token = (access_token: string, expires_in = 3600) =>
  json(200, { access_token, token_type: 'Bearer', expires_in });
const paths = () => server.asked.map(({ url }) => url);

describe('a name and a password', () => {
  test('go with every request', async () => {
    accepted = `Basic ${Buffer.from('us:pässword').toString('base64')}`;
    const client = createClient({ url: server.url, auth: { type: 'basic', user: 'us', password: 'pässword' } });
    expect((await client.ask(get, never)).status).toBe(200);
    accepted = 'another';
    expect((await client.ask(get, never)).status).toBe(401);
    expect(paths()).toHaveLength(2);
    await client.close();
  });

  test('cannot be had from a file that is not there', async () => {
    const auth = { type: 'basic', user: 'us', password: { file: 'no-such-file' } } as const;
    const client = createClient({ url: server.url, auth }, folder);
    await expect(client.ask(get, never)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining(join(folder, 'no-such-file')),
    });
    await client.close();
  });
});

test('a token is read again from its file when it is refused, once', async () => {
  const auth = { type: 'bearer', token: { file: 'token' } } as const;
  const client = createClient({ url: server.url, auth }, folder);
  writeFileSync(join(folder, 'token'), 'first\n');
  accepted = 'Bearer first';
  expect((await client.ask(get, never)).status).toBe(200);
  writeFileSync(join(folder, 'token'), 'second\n');
  accepted = 'Bearer second';
  expect((await client.ask(get, never)).status).toBe(200);
  accepted = 'Bearer third';
  expect((await client.ask(get, never)).status).toBe(401);
  expect(paths()).toHaveLength(4);
  await client.close();
});

describe('client credentials of OAuth 2.0', () => {
  const oauth2 = (more: object = {}) =>
    createClient({
      url: server.url,
      auth: { type: 'oauth2', tokenUrl: `${server.url}/token`, clientId: 'us', clientSecret: 'sesame-open', ...more },
    });

  test('fetch one token for all', async () => {
    accepted = 'Bearer one';
    tokens = [token('one')];
    const client = oauth2({ scope: 'users.write', audience: 'https://api.example.org' });
    const answers = await Promise.all([client.ask(get, never), client.ask(get, never), client.ask(get, never)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(paths()).toEqual(['/token', '/users', '/users', '/users']);
    const [asked] = server.asked;
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'users.write',
      audience: 'https://api.example.org',
    });
    expect(asked?.headers.authorization).toMatch(/^Basic /);
    await client.close();
  });

  test('fetch another when the token is refused', async () => {
    accepted = 'Bearer two';
    tokens = [token('one'), token('two')];
    const client = oauth2();
    expect((await client.ask(get, never)).status).toBe(200);
    expect(paths()).toEqual(['/token', '/users', '/token', '/users']);
    await client.close();
  });

  test('fetch another before the token expires', async () => {
    accepted = 'Bearer one';
    tokens = [token('one', 0.02), token('one', 3600)];
    const client = oauth2();
    await client.ask(get, never);
    await new Promise((done) => setTimeout(done, 25));
    await client.ask(get, never);
    await client.ask(get, never);
    expect(paths()).toEqual(['/token', '/users', '/token', '/users', '/users']);
    await client.close();
  });

  test('stand in the body where the server wants them there', async () => {
    accepted = 'Bearer one';
    tokens = [token('one')];
    const client = oauth2({ credentials: 'body' });
    await client.ask(get, never);
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
    expect(new URLSearchParams(server.asked[0]?.body).get('client_secret')).toBe('sesame-open');
    await client.close();
  });

  test.each([
    [
      'a wrong secret',
      json(401, { error: 'invalid_client', error_description: 'sesame-open is wrong' }),
      'misconfigured',
    ],
    ['a page of HTML', { status: 200, body: '<html>' }, 'misconfigured'],
    ['a wrong address', { status: 404 }, 'misconfigured'],
    ['a failure', { status: 500 }, 'unavailable'],
    ['a pause', { status: 429, headers: { 'retry-after': '60' } }, 'unavailable'],
  ])('%s of the server of tokens is %s', async (_, reply, kind) => {
    tokens = [reply];
    const client = oauth2();
    const failed = await client.ask({ ...get, method: 'POST' }, never).catch((error: unknown) => error);
    expect(failed).toMatchObject({ kind, unsure: false, message: expect.stringContaining('access token') });
    expect(String(failed)).not.toContain('sesame-open');
    expect(paths()).toEqual(['/token']);
    await client.close();
  });
});

describe('a signature of Standard Webhooks', () => {
  const key = Buffer.from('0123456789abcdef01234567');

  test.each([
    ['whsec_ and base64', `whsec_${key.toString('base64')}`],
    ['text', key.toString()],
  ])('is made with a key given as %s', async (_, secret) => {
    const client = createClient({ url: server.url, auth: { type: 'hmac', secret } });
    await client.ask({ ...get, method: 'POST', body: '{"name":"Zoë"}', id: 'msg_1' }, never);
    const { headers, body = '' } = server.asked[0] ?? {};
    const timestamp = Number(headers?.['webhook-timestamp']);
    expect(Math.abs(timestamp - Date.now() / 1000)).toBeLessThan(10);
    const signed = createHmac('sha256', key).update(`msg_1.${timestamp}.${body}`).digest('base64');
    expect(headers).toMatchObject({ 'webhook-id': 'msg_1', 'webhook-signature': `v1,${signed}` });
    await client.close();
  });

  test('has an id of its own for each message that has none', async () => {
    const client = createClient({ url: server.url, auth: { type: 'hmac', secret: 'sesame-open' } });
    await client.ask(get, never);
    await client.ask(get, never);
    expect(new Set(server.asked.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
    await client.close();
  });
});
