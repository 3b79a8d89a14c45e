import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/targets/http/target.ts';
import { createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';
import { createHttpTarget } from './bench.ts';

const signal = AbortSignal.timeout(60_000);
let server: WebServer;
let reply: Reply;
const targets: HttpTarget[] = [];

beforeAll(async () => {
  server = await createWebServer(() => reply);
});
afterAll(async () => {
  await Promise.all(targets.map((target) => target.close()));
  await server.close();
});
beforeEach(() => {
  reply = { status: 200 };
  server.asked.length = 0;
});

const attributes = {
  login: '{uid}',
  'name.first': '{first}',
  age: { from: 'age', as: 'number' },
  mails: { from: 'mails', as: 'list' },
};

function target(operations: object, more: object = {}): HttpTarget {
  const made = createHttpTarget({
    url: server.url,
    entities: { person: { id: '{uid}', attributes, operations, ...more } },
  });
  targets.push(made);
  return made;
}

const person = { entity: 'person', remoteId: 'person/ada' } as const;
const create = { operation: 'create', ...person, attributes: { login: ['ada'], mails: ['a@x', 'b&c@x'] } } as const;
const update = { operation: 'update', ...person } as const;
const sent = () => server.asked.map(({ method, url, body }) => ({ method, url, body }));

describe('what is sent', () => {
  test('may be a PUT of the whole document', async () => {
    const changes = [{ attribute: 'age', action: 'replace', values: ['7'] }] as const;
    const desired = { login: ['ada'], age: ['7'] };
    await target({ update: { path: '/u/{id}', json: 'whole' } }).apply({ ...update, changes }, signal, {
      desired,
      written: {},
    });
    expect(sent()).toEqual([{ method: 'PUT', url: '/u/ada', body: '{"login":"ada","age":7}' }]);
  });

  test('may be a patch step by step, which takes away only what was there', async () => {
    const changes = [
      { attribute: 'name.first', action: 'replace', values: [] },
      { attribute: 'mails', action: 'replace', values: [] },
      { attribute: 'age', action: 'replace', values: ['7'] },
    ] as const;
    const whole = { desired: {}, written: { 'name.first': ['Ada'] } };
    await target({ update: { path: '/u/{id}', json: 'patch' } }).apply({ ...update, changes }, signal, whole);
    expect(server.asked[0]?.headers['content-type']).toBe('application/json-patch+json');
    expect(JSON.parse(sent()[0]?.body ?? '')).toEqual([
      { op: 'remove', path: '/name/first' },
      { op: 'add', path: '/age', value: 7 },
    ]);
  });

  test('may be a form, with a field for each value', async () => {
    const form = { do: 'add', login: '{login}', mail: '{mails}', age: '{age}', note: 'of {login} {age?}' };
    await target({ create: { path: '/u', form } }).apply(create, signal);
    expect(sent()[0]?.body).toBe('do=add&login=ada&mail=a%40x&mail=b%26c%40x&note=of+ada+');
  });

  test('leaves out parameters and headers of what stands for nothing', async () => {
    const operation = {
      path: '/u',
      query: { a: '{age}', l: '{login}' },
      headers: { 'X-Age': '{age}', 'X-Login': '{login}' },
    };
    await target({ create: operation }).apply(create, signal);
    expect(server.asked[0]).toMatchObject({ url: '/u?l=ada', headers: { 'x-login': 'ada' } });
    expect(server.asked[0]?.headers['x-age']).toBeUndefined();
  });

  test('has no header that is more than one line', async () => {
    const bad = { ...create, attributes: { login: ['a\r\nX-Other: 1'] } };
    const asked = target({ create: { path: '/u', headers: { 'X-Login': '{login}' } } }).apply(bad, signal);
    await expect(asked).rejects.toMatchObject({ kind: 'rejected', unsure: false });
    expect(sent()).toEqual([]);
  });

  test('has no list in the middle of a text', async () => {
    const asked = target({ create: { path: '/u/{mails}' } }).apply(create, signal);
    await expect(asked).rejects.toMatchObject({ kind: 'rejected', message: expect.stringContaining('{mails}') });
  });

  test('is an operation of its own for another id, then the update', async () => {
    const operations = { rename: { path: '/u/{id}/rename', json: { to: '{newId}' } }, update: { path: '/u/{id}' } };
    const changes = [{ attribute: 'age', action: 'replace', values: ['7'] }] as const;
    const renamed = { ...update, renameTo: 'person/bea', changes };
    expect(await target(operations).apply(renamed, signal)).toEqual({ remoteId: 'person/bea' });
    expect(sent()).toEqual([
      { method: 'POST', url: '/u/ada/rename', body: '{"to":"bea"}' },
      { method: 'PATCH', url: '/u/bea', body: '{"age":7}' },
    ]);
  });

  test('keeps every id one part of the path', async () => {
    const service = target({ save: { path: '/u/{id}/x' } });
    const id = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !['.', '..'].includes(text));
    await fc.assert(
      fc.asyncProperty(id, async (name) => {
        await service.apply({ ...create, remoteId: `person/${name}` }, signal);
        const [, u = '', segment = '', x = ''] = server.asked.at(-1)?.url.split('/') ?? [];
        expect([u, decodeURIComponent(segment), x]).toEqual(['u', name, 'x']);
      }),
      { numRuns: 50 },
    );
  });
});

describe('what is answered', () => {
  test('says under which id an entry was made, in its body or in a header', async () => {
    reply = { status: 201, headers: { location: '/u/i%2F7/' }, body: '{"user":{"id":7}}' };
    expect(await target({ create: { path: '/u', stableId: '/user/id' } }).apply(create, signal)).toMatchObject({
      stableId: '7',
    });
    const header = { create: { path: '/u' } };
    expect(await target(header, { stableId: { header: 'Location' } }).apply(create, signal)).toMatchObject({
      stableId: 'i/7',
    });
  });

  test('means what the operation says', async () => {
    const operation = { path: '/u', status: { 409: 'converged', '4xx': 'unknown', 202: 'dependency' } };
    const asked = async (status: number) => {
      reply = { status };
      return target({ create: operation })
        .apply(create, signal)
        .then(
          () => 'done',
          (error: { kind: string }) => error.kind,
        );
    };
    expect(await asked(409)).toBe('converged');
    expect(await asked(418)).toBe('unknown');
    expect(await asked(202)).toBe('dependency');
    expect(await asked(204)).toBe('done');
  });

  test('is that there is one already, where an entry was to be made only if there is none', async () => {
    reply = { status: 412 };
    const asked = target({ create: { method: 'PUT', path: '/u/{id}', ifNoneMatch: true } }).apply(create, signal);
    await expect(asked).rejects.toMatchObject({ kind: 'exists', unsure: false });
    expect(server.asked[0]).toMatchObject({ method: 'PUT', headers: { 'if-none-match': '*' } });
  });
});
