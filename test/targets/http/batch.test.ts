import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/targets/http/target.ts';
import { type Asked, createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';
import { createHttpTarget } from './bench.ts';

const signal = AbortSignal.timeout(60_000);
let server: WebServer;
let target: HttpTarget;
let reply: (asked: Asked) => Reply | undefined;

beforeAll(async () => {
  server = await createWebServer((asked) => reply(asked));
  target = createHttpTarget({
    url: server.url,
    idempotencyKey: 'Idempotency-Key',
    entities: {
      person: {
        id: '{uid}',
        attributes: { login: '{uid}', name: '{name}', word: { from: 'word', secret: true } },
        operations: {
          create: { batch: true, json: { do: 'add', login: '{id}', user: '{document}' }, status: { taken: 'exists' } },
          update: { batch: true, json: { do: 'change', login: '{id}', user: '{merge}' } },
          remove: { batch: true, json: { do: 'delete', login: '{id}' } },
        },
        batch: {
          path: '/bulk',
          max: 3,
          json: { operations: '{items}' },
          results: '/results',
          key: { sent: '/login', answered: '/of' },
          result: '/status',
          message: '/why',
          stableId: '/id',
          status: { ok: 'done' },
        },
      },
    },
  });
});
afterAll(async () => {
  await target.close();
  await server.close();
});
beforeEach(() => {
  server.asked.length = 0;
});

type Sent = { operations: { do: string; login: string; user?: unknown }[] };
const sent = ({ body }: Pick<Asked, 'body'>): Sent => JSON.parse(body);
const add = (uid: string, given = signal) =>
  target.apply(
    {
      operation: 'create',
      entity: 'person',
      remoteId: `person/${uid}`,
      attributes: { login: [uid], word: [`word-of-${uid}`] },
    },
    given,
  );
/** Results in another order than what was sent. */
const results = (asked: Asked, of: (login: string) => object): Reply => ({
  status: 200,
  body: JSON.stringify({
    results: sent(asked)
      .operations.map(({ login }) => ({ of: login, ...of(login) }))
      .reverse(),
  }),
});

test('changes that come together go together, as many as may, each with its own result', async () => {
  reply = (asked) =>
    results(asked, (login) => {
      if (login === 'b') return { status: 'taken', why: 'b is there, with word-of-b' };
      if (login === 'c') return { status: 422, why: 'no' };
      return login === 'd' ? { status: 'hm' } : { status: 'ok', id: `i-${login}` };
    });
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd'].map((uid) => add(uid)));
  expect(outcomes).toMatchObject([
    { value: { remoteId: 'person/a', stableId: 'i-a' } },
    { reason: { kind: 'exists', unsure: false, message: expect.stringContaining('b is there, with ********') } },
    { reason: { kind: 'rejected', unsure: false } },
    { reason: { kind: 'unknown', unsure: true } },
  ]);
  expect(server.asked.map((asked) => sent(asked).operations.map(({ login }) => login))).toEqual([
    ['a', 'b', 'c'],
    ['d'],
  ]);
});

test('every kind of change goes so', async () => {
  reply = (asked) => results(asked, () => ({ status: 200 }));
  const change = { entity: 'person', remoteId: 'person/a' } as const;
  const changes = [{ attribute: 'name', action: 'replace', values: [] }] as const;
  await target.apply({ operation: 'update', ...change, changes }, signal);
  await target.apply({ operation: 'remove', ...change }, signal);
  expect(server.asked.flatMap((asked) => sent(asked).operations)).toEqual([
    { do: 'change', login: 'a', user: { name: null } },
    { do: 'delete', login: 'a' },
  ]);
});

test('what fails as a whole fails for all', async () => {
  reply = () => ({ status: 503, headers: { 'retry-after': '60' } });
  const outcomes = await Promise.allSettled([add('a'), add('b')]);
  expect(outcomes).toMatchObject([
    { reason: { kind: 'unavailable', unsure: true, retryAfter: 60 } },
    { reason: { kind: 'unavailable', unsure: true } },
  ]);
  expect(server.asked).toHaveLength(1);
});

test('what is refused as a whole goes one by one, so that one that is bad harms no other', async () => {
  reply = (asked) => {
    const isBad = sent(asked).operations.some(({ login }) => login === 'b');
    return isBad ? { status: 400, body: 'bad' } : results(asked, () => ({ status: 200 }));
  };
  const outcomes = await Promise.allSettled([add('a'), add('b'), add('c')]);
  expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { kind: 'rejected' } }, { status: 'fulfilled' }]);
});

test.each([
  ['an answer that says nothing of a change', { status: 200, body: '{"results": []}' }],
  ['an answer without results', { status: 200, body: '{}' }],
  ['no answer', undefined],
])('%s leaves open what became of it', async (_, answer) => {
  reply = () => {
    if (answer === undefined) server.cut();
    return answer;
  };
  await expect(add('a')).rejects.toMatchObject({ unsure: true });
});

test('whoever has given up is not sent; whoever gives up does not know', async () => {
  reply = () => undefined;
  await expect(add('a', AbortSignal.abort())).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
  await expect(add('b', AbortSignal.timeout(50))).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
  expect(server.asked.map((asked) => sent(asked).operations.map(({ login }) => login))).toEqual([['b']]);
});
