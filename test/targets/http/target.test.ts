import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/targets/http/target.ts';
import type { Attributes } from '../../../src/targets/target.ts';
import { createHttpTarget, group, person } from './bench.ts';
import { createRestService, type RestService } from './rest-service.ts';

const signal = AbortSignal.timeout(60_000);
let service: RestService;
let target: HttpTarget;

beforeAll(async () => {
  service = await createRestService();
  target = createHttpTarget({
    url: `${service.server.url}/v1`,
    idempotencyKey: 'Idempotency-Key',
    entities: { person, group },
  });
});
afterAll(async () => {
  await target.close();
  await service.server.close();
});
beforeEach(() => {
  service.before = () => undefined;
  service.after = (_, reply) => reply;
  service.users.clear();
  service.groups.clear();
  service.server.asked.length = 0;
});

const make = (uid: string, more: Attributes = {}) =>
  target.apply(
    { operation: 'create', entity: 'person', remoteId: `person/${uid}`, attributes: { userName: [uid], ...more } },
    signal,
  );
const asked = () => service.server.asked.map(({ method, url }) => `${method} ${url}`);

describe('an entry', () => {
  test('is written as its document, each value as the mapping says', async () => {
    const attributes = { 'profile.title': ['Dr'], 'profile.age': ['42'], active: ['t'], mails: ['a@x', 'b@x'] };
    await make('ada', attributes);
    expect(service.user('ada')).toEqual({
      id: expect.any(String),
      userName: 'ada',
      profile: { title: 'Dr', age: 42 },
      active: true,
      mails: ['a@x', 'b@x'],
    });
    const names = ['profile.age', 'active', 'mails', 'profile.title', 'secretWord'];
    const state = await target.read?.({ remoteId: 'person/ada' }, names, signal);
    expect(state?.attributes).toEqual({ ...attributes, active: ['TRUE'] });
    expect(target.same('active', ['t'], ['TRUE'])).toBe(true);
    expect(target.same('profile.age', ['1'], ['1.0'])).toBe(true);
    expect(target.same('userName', ['1'], ['1.0'])).toBe(false);
  });

  test('is changed by what changed and no more', async () => {
    const { stableId = '' } = await make('ada', { mails: ['a@x'], 'profile.title': ['Dr'] });
    const changes = [
      { attribute: 'mails', action: 'replace', values: ['b@x'] },
      { attribute: 'profile.title', action: 'replace', values: [] },
    ] as const;
    await target.apply({ operation: 'update', entity: 'person', remoteId: 'person/ada', stableId, changes }, signal);
    expect(service.server.asked.at(-1)).toMatchObject({
      method: 'PATCH',
      url: `/v1/users/${stableId}`,
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ mails: ['b@x'], profile: { title: null } }),
    });
  });

  test('with a value that is not what the mapping says is refused before anything is sent', async () => {
    await expect(make('ada', { 'profile.age': ['old'] })).rejects.toMatchObject({ kind: 'rejected', unsure: false });
    expect(asked()).toEqual([]);
  });

  test('is looked up where nobody recorded its stable id', async () => {
    await make('ada');
    const remove = { operation: 'remove', entity: 'person', remoteId: 'person/ada' } as const;
    await target.apply(remove, signal);
    expect(service.user('ada')).toBeUndefined();
    expect(asked().slice(1)).toEqual(['GET /v1/users?userName=ada', expect.stringMatching('^DELETE ')]);
  });

  test('that took the place of another is told with its own stable id', async () => {
    const { stableId = '' } = await make('ada');
    service.users.clear();
    await make('ada');
    const state = await target.read?.({ remoteId: 'person/ada', stableId }, [], signal);
    expect(state?.stableId).toEqual(service.user('ada')?.id);
    expect(state?.stableId).not.toBe(stableId);
  });
});

describe('members', () => {
  const members = (values: readonly string[]) =>
    target.apply(
      {
        operation: 'create',
        entity: 'group',
        remoteId: 'group/staff',
        attributes: { name: ['staff'], members: values },
      },
      signal,
    );
  const written = () => [...service.groups.values()][0]?.members;

  test('stand there by their ids, and nobody where there is none', async () => {
    await members(['person/ada', 'person/bob']);
    expect(written()).toEqual(['ada', 'bob']);
    service.groups.clear();
    await members([]);
    expect(written()).toBeUndefined();
    const state = await target.read?.({ remoteId: 'group/staff' }, ['members'], signal);
    expect(state?.attributes).toEqual({});
  });

  test('that come and go leave the others, whoever put them there', async () => {
    const { stableId = '' } = await members(['person/ada', 'person/bob']);
    const changes = [
      { attribute: 'members', action: 'add', values: ['person/cy'] },
      { attribute: 'members', action: 'delete', values: ['person/ada'] },
    ] as const;
    const update = { operation: 'update', entity: 'group', remoteId: 'group/staff', stableId, changes } as const;
    await target.apply(update, signal);
    expect(written()).toEqual(['bob', 'cy']);
    const state = await target.read?.({ remoteId: 'group/staff', stableId }, ['members'], signal);
    expect(state?.attributes).toEqual({ members: ['person/bob', 'person/cy'] });
  });
});

describe('everything', () => {
  test('is read from all pages', async () => {
    for (let at = 0; at < 12; at++) await make(`u${at}`);
    const seen = await Array.fromAsync(target.scan?.('person', [], signal) ?? []);
    expect(seen.map(({ remoteId }) => remoteId).sort()).toEqual(
      [...service.users.values()].map(({ userName }) => `person/${userName}`).sort(),
    );
    expect(seen[0]).toMatchObject({ stableId: expect.any(String) });
  });

  test('is not what a service tells that keeps something back', async () => {
    for (let at = 0; at < 7; at++) await make(`u${at}`);
    service.before = ({ url }) =>
      url.includes('page=2') ? { status: 200, body: JSON.stringify({ items: [], total: 7 }) } : undefined;
    const scan = Array.fromAsync(target.scan?.('person', [], signal) ?? []);
    await expect(scan).rejects.toMatchObject({ kind: 'unknown', message: expect.stringContaining('7, but told of 5') });
  });

  test('is not what comes in pages that are all the same', async () => {
    const page = { status: 200, body: JSON.stringify({ items: [{ id: 'i1', userName: 'ada' }], total: 9 }) };
    service.before = () => page;
    const scan = Array.fromAsync(target.scan?.('person', [], signal) ?? []);
    await expect(scan).rejects.toMatchObject({ message: expect.stringContaining('same page twice') });
  });

  test.each([
    ['a page without the list', { status: 200, body: '{"things": []}' }, 'unknown'],
    ['a page of HTML', { status: 200, body: 'hello' }, 'unknown'],
    ['a failure', { status: 503 }, 'unavailable'],
  ])('is not %s', async (_, reply, kind) => {
    service.before = () => reply;
    await expect(Array.fromAsync(target.scan?.('person', [], signal) ?? [])).rejects.toMatchObject({ kind });
  });
});

describe('faults', () => {
  test('an answer that is lost after the create leaves open whether it was done; a read finds the entry', async () => {
    service.after = (_, reply) => (reply.status === 201 ? 'cut' : reply);
    await expect(make('ada')).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
    const state = await target.read?.({ remoteId: 'person/ada' }, ['userName'], signal);
    expect(state).toMatchObject({ remoteId: 'person/ada', stableId: service.user('ada')?.id });
  });

  test('a change that is sent again has the same key, until it is known what became of it', async () => {
    service.after = (_, reply) => (reply.status === 201 ? 'cut' : reply);
    await expect(make('ada')).rejects.toMatchObject({ unsure: true });
    service.users.clear();
    service.after = (_, reply) => reply;
    await make('ada');
    service.users.clear();
    await make('ada');
    const [first, second, third] = service.server.asked.map(({ headers }) => headers['idempotency-key']);
    expect(first).toMatch(/^[0-9a-f]{40}$/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test.each([
    [500, 'unavailable', true],
    [503, 'unavailable', true],
    [429, 'unavailable', false],
    [401, 'misconfigured', false],
    [403, 'misconfigured', false],
    [307, 'misconfigured', false],
    [400, 'rejected', false],
    [422, 'rejected', false],
    [409, 'exists', false],
  ])('%i to a write is %s', async (status, kind, unsure) => {
    service.before = () => ({ status, body: 'because', headers: { 'retry-after': '60', location: '/elsewhere' } });
    await expect(make('ada')).rejects.toMatchObject({
      kind,
      unsure,
      message: expect.stringMatching(
        new RegExp(`^create person/ada: POST .*/v1/users was answered ${status}.*because$`),
      ),
      retryAfter: kind === 'unavailable' ? 60 : undefined,
    });
  });

  test('a secret that the service repeats is not told', async () => {
    service.before = ({ body }) => ({ status: 422, body });
    const failed = await make('ada', { secretWord: ['open-"sesame"'] }).catch((error: unknown) => error);
    expect(String(failed)).toContain('userName');
    expect(String(failed)).not.toContain('sesame');
    expect(JSON.stringify(failed)).not.toContain('sesame');
  });

  test.each(['.', '..', ''])('an id that would lead elsewhere is refused: "%s"', async (uid) => {
    const other = createHttpTarget({
      url: `${service.server.url}/v1`,
      entities: { person: { ...person, operations: { save: { path: '/users/{id}/x' } } } },
    });
    const change = { operation: 'create', entity: 'person', remoteId: `person/${uid}`, attributes: {} } as const;
    await expect(other.apply(change, signal)).rejects.toMatchObject({ kind: 'rejected', unsure: false });
    expect(asked()).toEqual([]);
    await other.close();
  });

  test('an id stays one part of the path, whatever is in it', async () => {
    const other = createHttpTarget({
      url: `${service.server.url}/v1`,
      entities: { person: { ...person, stableId: undefined, operations: { save: { path: '/users/{id}' } } } },
    });
    service.before = () => ({ status: 204 });
    const remoteId = 'person/../a b/ü?x=1#y%2f';
    await other.apply({ operation: 'create', entity: 'person', remoteId, attributes: {} }, signal);
    expect(asked()).toEqual(['PUT /v1/users/..%2Fa%20b%2F%C3%BC%3Fx%3D1%23y%252f']);
    await other.close();
  });
});

test('says who is there, unless it is refused', async () => {
  expect(await target.ping(signal)).toMatchObject({ identity: `${service.server.url}/v1` });
  service.before = () => ({ status: 401 });
  await expect(target.ping(signal)).rejects.toMatchObject({ kind: 'misconfigured' });
});
