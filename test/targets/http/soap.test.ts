import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/targets/http/target.ts';
import { createHttpTarget } from './bench.ts';
import { createSoapService, type SoapService } from './soap-service.ts';

const signal = AbortSignal.timeout(60_000);
let service: SoapService;
let target: HttpTarget;

const call = (name: string, content: string) => ({
  method: 'POST',
  headers: { SOAPAction: `"urn:staff#${name}"` },
  xml: `<?xml version="1.0"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
  <s:${name} xmlns:s="urn:staff">${content}</s:${name}>
</soap:Body></soap:Envelope>`,
});
const all = '<s:login>{newId}</s:login><s:surname>{surname}</s:surname><s:mail>{mails}</s:mail><s:room>{room}</s:room>';

beforeAll(async () => {
  service = await createSoapService();
  target = createHttpTarget({
    url: service.server.url,
    faults: { Duplicate: 'exists', 'Client.Duplicate': 'exists', 'unknown login': 'gone' },
    entities: {
      person: {
        id: '{uid}',
        idPath: 'login',
        attributes: {
          surname: '{surname}',
          mails: { from: 'mails', as: 'list' },
          room: '{room}',
        },
        places: { mails: '/mail' },
        operations: {
          create: { ...call('add', all), stableId: '/Envelope/Body/addResponse/id' },
          update: call('change', all),
          remove: call('delete', '<s:login>{id}</s:login>'),
          read: { ...call('get', '<s:login>{id}</s:login>'), item: '/Envelope/Body/getResponse' },
        },
      },
    },
  });
});
afterAll(async () => {
  await target.close();
  await service.server.close();
});
beforeEach(() => {
  service.staff.clear();
});

const person = { entity: 'person', remoteId: 'person/ada' } as const;
const add = (surname?: string) =>
  target.apply(
    {
      operation: 'create',
      ...person,
      attributes: { ...(surname === undefined ? {} : { surname: [surname] }), mails: ['a&b@x', '<c>@x'] },
    },
    signal,
  );

test('an entry is added, changed, read and deleted', async () => {
  expect(await add('Love"lace & <co>\r\nÉ')).toEqual({ remoteId: 'person/ada', stableId: 's-ada' });
  expect(service.staff.get('ada')).toMatchObject({ surname: 'Love"lace & <co>\r\nÉ', mail: ['a&b@x', '<c>@x'] });
  const changes = [{ attribute: 'room', action: 'replace', values: ['12'] }] as const;
  const desired = { surname: ['King'], mails: ['a@x'], room: ['12'] };
  await target.apply({ operation: 'update', ...person, changes }, signal, { desired, written: {} });
  expect(service.staff.get('ada')).toMatchObject({ surname: 'King', mail: 'a@x', room: '12' });
  const state = await target.read?.({ remoteId: 'person/ada' }, ['surname', 'mails', 'room'], signal);
  expect(state).toEqual({ remoteId: 'person/ada', attributes: desired });
  await target.apply({ operation: 'remove', ...person }, signal);
  expect(service.staff.size).toBe(0);
  expect(await target.read?.({ remoteId: 'person/ada' }, ['surname'], signal)).toBeUndefined();
});

describe.each([500, 200])('a fault with status %i', (status) => {
  beforeEach(() => {
    service.faultStatus = status;
  });

  test('is what its code says', async () => {
    await add('Lovelace');
    const message = expect.stringContaining('Client.Duplicate: ada exists already');
    await expect(add('Lovelace')).rejects.toMatchObject({ kind: 'exists', unsure: false, message });
  });

  test('is what its text says', async () => {
    const changes = [{ attribute: 'room', action: 'replace', values: ['12'] }] as const;
    const changed = target.apply({ operation: 'update', ...person, changes }, signal);
    await expect(changed).rejects.toMatchObject({ kind: 'gone', unsure: false });
    const removed = target.apply({ operation: 'remove', ...person }, signal);
    await expect(removed).resolves.toMatchObject({ remoteId: 'person/ada' });
  });

  test('of the client is a refusal, one of the server may have done something', async () => {
    await expect(add()).rejects.toMatchObject({ kind: 'rejected', unsure: false });
    await expect(add('crash')).rejects.toMatchObject({ kind: 'unknown', unsure: true });
  });
});
