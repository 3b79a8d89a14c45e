import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/targets/http/target.ts';
import { createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';
import { createHttpTarget } from './bench.ts';

const signal = AbortSignal.timeout(60_000);
const key = Buffer.from('0123456789abcdef01234567');
let server: WebServer;
let webhook: HttpTarget;
let reply: () => Reply;

beforeAll(async () => {
  server = await createWebServer(() => reply());
  webhook = createHttpTarget({
    url: server.url,
    auth: { type: 'hmac', secret: `whsec_${key.toString('base64')}` },
    entities: {
      person: {
        id: '{id}',
        attributes: { uid: '{uid}', name: '{name}', age: { from: 'age', as: 'number' } },
        operations: {
          save: {
            method: 'POST',
            path: '/people',
            json: { type: 'person.saved', id: '{id}', data: '{document}', ages: ['{age}'] },
          },
          remove: { method: 'POST', path: '/people', form: { type: 'person.removed', id: '{id}' } },
          disable: { path: '/people/{id}/disable' },
          enable: { path: '/people/{id}/enable' },
          password: { path: '/people/{id}/password', json: { password: '{password}', old: '{formerPassword}' } },
        },
      },
    },
  });
});
afterAll(async () => {
  await webhook.close();
  await server.close();
});
beforeEach(() => {
  reply = () => ({ status: 202 });
  server.asked.length = 0;
});

const entry = { entity: 'person', remoteId: 'person/7' } as const;
const desired = { uid: ['ada'], name: ['Ada'] };
const asked = () => server.asked.map(({ method, url, body }) => [method, url, body]);

test('is told of each change as a structure, signed', async () => {
  await webhook.apply({ operation: 'create', ...entry, attributes: { ...desired, age: ['36'] } }, signal);
  await webhook.apply({ operation: 'remove', ...entry }, signal);
  expect(server.asked.map(({ body, headers }) => [headers['content-type'], body])).toEqual([
    ['application/json', '{"type":"person.saved","id":"7","data":{"uid":"ada","name":"Ada","age":36},"ages":[36]}'],
    ['application/x-www-form-urlencoded', 'type=person.removed&id=7'],
  ]);
  for (const { body, headers } of server.asked) {
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const signed = createHmac('sha256', key).update(content).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
  }
});

test('is told the same again with the same id', async () => {
  reply = () => ({ status: 500 });
  const change = { operation: 'create', ...entry, attributes: desired } as const;
  await expect(webhook.apply(change, signal)).rejects.toMatchObject({ unsure: true });
  reply = () => ({ status: 202 });
  await webhook.apply(change, signal);
  expect(new Set(server.asked.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

test('cannot be read, and says so by having nothing to read with', () => {
  expect([webhook.read, webhook.scan, webhook.find]).toEqual([undefined, undefined, undefined]);
});

describe('an identity that leaves and comes back', () => {
  const mark = { attribute: '(disabled)', action: 'replace' } as const;

  test('is disabled, then enabled and written', async () => {
    await webhook.apply({ operation: 'update', ...entry, changes: [{ ...mark, values: ['TRUE'] }] }, signal, {
      written: desired,
    });
    const changes = [
      { ...mark, values: [] },
      { attribute: 'name', action: 'replace', values: ['Ada'] },
    ] as const;
    await webhook.apply({ operation: 'update', ...entry, changes }, signal, { desired, written: {} });
    expect(asked()).toEqual([
      ['POST', '/people/7/disable', ''],
      ['POST', '/people/7/enable', ''],
      ['POST', '/people', '{"type":"person.saved","id":"7","data":{"uid":"ada","name":"Ada"},"ages":[]}'],
    ]);
  });

  test('has been enabled for certain where writing it fails', async () => {
    let count = 0;
    reply = () => ({ status: count++ === 0 ? 200 : 422 });
    const changes = [
      { ...mark, values: [] },
      { attribute: 'name', action: 'replace', values: ['Ada'] },
    ] as const;
    const applied = webhook.apply({ operation: 'update', ...entry, changes }, signal, { desired, written: {} });
    await expect(applied).rejects.toMatchObject({ kind: 'rejected', unsure: true });
  });
});

test('a password that was handed over goes out, and is never told again', async () => {
  const password = { kind: 'change', next: 'new-secret', former: undefined } as const;
  await webhook.setPassword?.(entry, password, signal, { written: {} });
  expect(asked()).toEqual([['PUT', '/people/7/password', '{"password":"new-secret"}']]);
  reply = () => ({ status: 400, body: 'new-secret is too short' });
  const failed = await webhook.setPassword?.(entry, password, signal, { written: {} }).catch((error: unknown) => error);
  expect(String(failed)).toMatch(/\*{8} is too short$/);
});

test('a swap of ids that nobody can be told of is left out', async () => {
  const aside = webhook.aside('person/7', 'key');
  await webhook.apply({ operation: 'update', ...entry, renameTo: aside, changes: [] }, signal);
  expect(asked()).toEqual([]);
  await webhook.apply({ operation: 'update', ...entry, remoteId: aside, renameTo: 'person/8', changes: [] }, signal, {
    desired,
    written: {},
  });
  expect(asked()).toEqual([['POST', '/people', expect.stringContaining('ada')]]);
});
