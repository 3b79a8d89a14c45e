/** Answers that no library gives, and real services do. */
import { afterEach, expect, test } from 'vitest';
import type { ScimTarget } from '../../../src/targets/scim/target.ts';
import type { TargetError } from '../../../src/targets/target.ts';
import { createWebServer, type WebServer } from '../../setup/web-server.ts';
import { changePerson, createPerson, createScimTarget } from './bench.ts';

const calm = AbortSignal.timeout(60_000);
let server: WebServer;
let target: ScimTarget;

afterEach(async () => {
  await target.close();
  await server.close();
});

/** What is answered to `METHOD /path`, in turn, the last one from then on: a status, a body, headers. */
type Script = Readonly<
  Record<string, readonly (readonly [status: number, body?: unknown, headers?: Record<string, string>])[]>
>;

/** A service that answers as a script says, and 404 to all else. */
async function answering(script: Script, config: object = {}): Promise<void> {
  const turns = new Map<string, number>();
  server = await createWebServer(({ method, url }) => {
    const asked = `${method} ${url.replace(/\?.*$/, '')}`;
    const turn = turns.get(asked) ?? 0;
    turns.set(asked, turn + 1);
    const [status, body, headers = {}] = script[asked]?.[turn] ?? script[asked]?.at(-1) ?? [404];
    return {
      status,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
  });
  target = createScimTarget({ url: server.url, token: 'x' }, config);
}

const page = (...resources: readonly object[]) => ({ totalResults: resources.length, Resources: resources });
const anna = { id: '7', userName: 'anna' };
const change = { ...changePerson('anna', { displayName: ['A'] }), stableId: '7' };
const remove = { operation: 'remove', entity: 'person', remoteId: 'User/anna', stableId: '7' } as const;

async function failure(promise: Promise<unknown>): Promise<TargetError> {
  return promise.then(
    () => expect.unreachable('it did not fail'),
    (error: TargetError) => error,
  );
}

async function all(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { stableId = '' } of target.scan('person', [], calm)) ids.push(stableId);
  return ids;
}

test.each<[string, Script, string | undefined]>([
  [
    'in its address',
    { 'POST /Users': [[201, undefined, { location: 'https://x.example/v2/Users/a%2Fb?x#y' }]] },
    'a/b',
  ],
  ['nowhere, and is looked for', { 'POST /Users': [[201]], 'GET /Users': [[200, page(anna)]] }, '7'],
  ['nowhere, and is not to be found', { 'POST /Users': [[201]], 'GET /Users': [[200, page()]] }, undefined],
])('the id of what was created may stand %s', async (_, script, id) => {
  await answering(script);
  const created = target.apply(createPerson('anna'), calm);
  if (id === undefined) expect(await failure(created)).toMatchObject({ kind: 'unknown', unsure: true });
  else expect(await created).toEqual({ remoteId: 'User/anna', stableId: id });
});

test.each<[string, () => Promise<unknown>, Script, object]>([
  ['a creation at no endpoint', () => target.apply(createPerson('anna'), calm), {}, { kind: 'misconfigured' }],
  ['a change without rights', () => target.apply(change, calm), { 'PATCH /Users/7': [[403]] }, { kind: 'one-sided' }],
  ['a list without rights', () => all(), { 'GET /Users': [[403]] }, { kind: 'misconfigured' }],
  [
    'a name that is taken, as any refusal',
    () => target.apply(change, calm),
    { 'PATCH /Users/7': [[400, { scimType: 'uniqueness' }]] },
    { kind: 'exists' },
  ],
  ['a removal that conflicts', () => target.apply(remove, calm), { 'DELETE /Users/7': [[409]] }, { kind: 'unknown' }],
  [
    'a service that broke down',
    () => target.apply(change, calm),
    { 'PATCH /Users/7': [[500, 'oops']] },
    { kind: 'unavailable', unsure: true, message: expect.stringMatching(/oops$/) },
  ],
  [
    'a resource that is none',
    () => target.read({ remoteId: 'User/anna', stableId: '7' }, [], calm),
    { 'GET /Users/7': [[200, '[]']] },
    { kind: 'misconfigured', message: expect.stringContaining('with what is no resource: []') },
  ],
  [
    'a resource that is not shown',
    () => target.read({ remoteId: 'User/anna', stableId: '7' }, [], calm),
    { 'GET /Users/7': [[500]] },
    { kind: 'unavailable', unsure: false },
  ],
  ['a list without resources', () => all(), { 'GET /Users': [[200, { totalResults: 3 }]] }, { kind: 'misconfigured' }],
  [
    'a list that does not say how long it is',
    () => all(),
    { 'GET /Users': [[200, { Resources: [anna] }]] },
    { kind: 'unavailable' },
  ],
  [
    'a list of things without an id',
    () => all(),
    { 'GET /Users': [[200, page({ userName: 'x' })]] },
    { kind: 'unavailable' },
  ],
  [
    'a list that shows one twice',
    () => all(),
    { 'GET /Users': [[200, page(anna, anna)]] },
    { kind: 'unavailable', message: expect.stringContaining('it showed 7 twice') },
  ],
])('%s is a failure', async (_, ask, script, expected) => {
  await answering(script);
  expect(await failure(ask())).toMatchObject(expected);
});

test('what is gone is gone, by 410 as well; a removal of it is done', async () => {
  await answering({ 'DELETE /Users/7': [[410]], 'GET /Users/7': [[410]], 'GET /Users': [[200, page()]] });
  expect(await target.apply(remove, calm)).toEqual({ remoteId: 'User/anna', stableId: '7' });
  expect(await target.read({ remoteId: 'User/anna', stableId: '7' }, [], calm)).toBeUndefined();
  const { stableId: _, ...unlinked } = remove;
  expect(await target.apply(unlinked, calm)).toEqual({ remoteId: 'User/anna' });
});

test('what has changed again and again is looked at anew', async () => {
  await answering(
    { 'GET /Users/7': [[200, { ...anna, meta: { version: 'W/"1"' } }]], 'PUT /Users/7': [[412]] },
    { features: { patch: false, etag: true } },
  );
  expect(await failure(target.apply(change, calm))).toMatchObject({ kind: 'converged', unsure: false });
  const puts = server.asked.filter(({ method }) => method === 'PUT');
  expect(puts.map(({ headers }) => headers['if-match'])).toEqual(['W/"1"', 'W/"1"']);
});

test('the name that a resource has is told, where the service shows another', async () => {
  await answering({ 'PATCH /Users/7': [[200, { ...anna, userName: 'hanna' }]] });
  expect(await target.apply(change, calm)).toEqual({ remoteId: 'User/hanna', stableId: '7' });
});

test('only members that conflict have the group looked at again', async () => {
  const conflict: Script = { 'PATCH /Groups/1': [[409], [400, { scimType: 'noTarget' }], [400]] };
  await answering(conflict);
  const add = [{ attribute: 'members', action: 'add', values: ['7'] }] as const;
  const ask = () =>
    failure(
      target.apply({ operation: 'update', entity: 'group', remoteId: 'Group/a', stableId: '1', changes: add }, calm),
    );
  expect([(await ask()).kind, (await ask()).kind, (await ask()).kind]).toEqual(['converged', 'converged', 'rejected']);
});

test('a list by cursors ends where the service says so, and not before', async () => {
  const cursors = { features: { cursor: true } };
  await answering(
    {
      'GET /Users': [
        [200, { Resources: [anna], totalResults: 1, nextCursor: 'b' }],
        [200, { Resources: [{ id: '8' }], totalResults: 1 }],
      ],
    },
    cursors,
  );
  expect(await all()).toEqual(['7', '8']);
  await target.close();
  await server.close();
  await answering(
    {
      'GET /Users': [
        [200, { Resources: [anna], nextCursor: 'b' }],
        [200, { Resources: [], nextCursor: 'b' }],
      ],
    },
    cursors,
  );
  expect((await failure(all())).message).toContain('it answered with the same cursor again');
  await target.close();
  await server.close();
  await answering({ 'GET /Users': [[200, { Resources: [anna], totalResults: 5 }]] }, cursors);
  expect((await failure(all())).message).toContain('it showed 1 of 5');
});

test('values that others gave stay: one is added or taken out, also where it is the only one', async () => {
  await answering({
    'GET /Users/7': [[200, { ...anna, title: 'Dr.', phoneNumbers: [{ value: '1', type: 'fax' }] }]],
    'PATCH /Users/7': [[204]],
  });
  const step = (attribute: string, action: 'add' | 'delete', ...values: readonly string[]) =>
    target.apply({ ...change, changes: [{ attribute, action, values }] }, calm);
  await step('phoneNumbers', 'add', '2');
  await step('phoneNumbers', 'delete', '1', '3');
  await step('title', 'delete', 'dr.');
  await step('title', 'delete', 'Prof.');
  await step('title', 'add', 'Prof.');
  const operations = server.asked.flatMap(({ method, body }) =>
    method === 'PATCH' ? JSON.parse(body).Operations : [],
  );
  expect(operations).toEqual([
    { op: 'replace', path: 'phoneNumbers', value: [{ value: '1', type: 'fax' }, { value: '2' }] },
    { op: 'remove', path: 'phoneNumbers' },
    { op: 'replace', path: 'title', value: 'Dr.' },
    { op: 'replace', path: 'title', value: 'Dr.' },
    { op: 'replace', path: 'title', value: 'Prof.' },
  ]);
});

test('several values for one place are refused before anything is sent', async () => {
  await answering({});
  const several = { ...changePerson('anna', { title: ['a', 'b'] }), stableId: '7' };
  const message = 'attribute title has 2 values, expected one; several go `as: list` where no schema says so';
  expect(await failure(target.apply(several, calm))).toMatchObject({ kind: 'rejected', message });
  expect(await failure(target.apply(createPerson('anna', { title: ['a', 'b'] }), calm))).toMatchObject({
    kind: 'rejected',
    message,
  });
  expect(server.asked.every(({ method }) => method === 'GET')).toBe(true);
});

test('results of a bulk request are known by their id, their address, or their turn', async () => {
  const bulk = { supported: true, maxOperations: 9, maxPayloadSize: 9999 };
  await answering(
    {
      'GET /ServiceProviderConfig': [[200, { bulk }]],
      'POST /Bulk': [
        [
          200,
          {
            Operations: [
              { method: 'DELETE', location: 'https://x.example/v2/Users/9', status: { code: '404' } },
              { method: 'DELETE', location: 'https://x.example/v2/Users/7', status: 'soon' },
              { method: 'PATCH', status: 200, response: anna }, // its turn is the last: there is more to be thought of before it is sent
            ],
          },
        ],
      ],
    },
    { bulk: true },
  );
  const results = await Promise.allSettled([
    target.apply(remove, calm),
    target.apply({ ...change, stableId: '8' }, calm),
    target.apply({ ...remove, stableId: '9' }, calm),
  ]);
  expect(results).toMatchObject([
    { status: 'rejected', reason: { kind: 'unknown', unsure: true } },
    { status: 'fulfilled', value: { remoteId: 'User/anna' } },
    { status: 'fulfilled' },
  ]);
});

test('a bulk request that is too much for the service has everybody wait', async () => {
  const bulk = { supported: true, maxOperations: 9, maxPayloadSize: 9999 };
  await answering(
    { 'GET /ServiceProviderConfig': [[200, { bulk }]], 'POST /Bulk': [[503, undefined, { 'retry-after': '120' }]] },
    { bulk: true },
  );
  const results = await Promise.allSettled([
    target.apply(remove, calm),
    target.apply({ ...remove, stableId: '8' }, calm),
  ]);
  expect(results).toMatchObject([
    { reason: { kind: 'unavailable', retryAfter: 120 } },
    { reason: { kind: 'unavailable' } },
  ]);
});
