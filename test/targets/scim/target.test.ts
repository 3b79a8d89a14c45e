/** How a `scim` target deals with services that differ, and with what happens to others' changes. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TargetError } from '../../../src/targets/target.ts';
import {
  type Bench,
  changePerson,
  createBench,
  createPerson,
  createScimTarget,
  employeeNumber,
  manager,
  workMail,
} from './bench.ts';

const calm = AbortSignal.timeout(120_000);
let bench: Bench;

beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.close());

const anna = {
  externalId: ['42'],
  displayName: ['Anna Rossi'],
  'name.familyName': ['Rossi'],
  active: ['TRUE'],
  [workMail]: ['anna@example.org'],
  phoneNumbers: ['1', '2'],
  [employeeNumber]: ['42'],
};

/** What a service shows of the only user. */
function theUser() {
  const [user, ...others] = bench.server.users();
  expect(others).toEqual([]);
  return user;
}

function methods(): string[] {
  return bench.server.asked.map(({ method }) => method);
}

async function failure(promise: Promise<unknown>): Promise<TargetError> {
  return promise.then(
    () => expect.unreachable('it did not fail'),
    (error: TargetError) => error,
  );
}

describe('a resource', () => {
  test('has each value in its place, as what the schema says that it is', async () => {
    const { stableId } = await bench.target.apply(createPerson('anna', { ...anna, [manager]: ['7'] }), calm);
    expect(theUser()).toMatchObject({
      id: stableId,
      userName: 'anna',
      externalId: '42',
      displayName: 'Anna Rossi',
      name: { familyName: 'Rossi' },
      active: true,
      emails: [{ type: 'work', value: 'anna@example.org' }],
      phoneNumbers: [{ value: '1' }, { value: '2' }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { employeeNumber: '42', manager: { value: '7' } },
    });
    const read = await bench.target.read({ remoteId: 'User/anna' }, [...Object.keys(anna), manager], calm);
    expect(read).toEqual({ remoteId: 'User/anna', stableId, attributes: { ...anna, [manager]: ['7'] } });
  });

  test.each(['PATCH', 'PUT'])('keeps what others wrote in it, with %s', async (method) => {
    bench.server.behave('no PATCH', method === 'PUT');
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    const emails = [
      { value: 'a@home.example', type: 'home' },
      { value: 'anna@example.org', type: 'work', primary: true },
    ];
    bench.server.put(
      'User',
      { ...theUser(), nickName: 'Annie', emails, name: { familyName: 'Rossi', givenName: 'Anna' } },
      stableId,
    );
    const change = changePerson('anna', {
      'name.familyName': ['Bianchi'],
      [workMail]: ['bianchi@example.org'],
      phoneNumbers: ['2', '3'],
    });
    await bench.target.apply({ ...change, stableId }, calm);
    expect(theUser()).toMatchObject({
      nickName: 'Annie',
      name: { familyName: 'Bianchi', givenName: 'Anna' },
      emails: [emails[0], { value: 'bianchi@example.org', type: 'work', primary: true }],
      phoneNumbers: [{ value: '2' }, { value: '3' }],
      displayName: 'Anna Rossi',
    });
    expect(methods()).toContain(method);
    const cleared = changePerson('anna', {
      'name.familyName': [],
      [workMail]: [],
      phoneNumbers: [],
      [employeeNumber]: [],
    });
    await bench.target.apply({ ...cleared, stableId }, calm);
    expect(theUser()).toMatchObject({ name: { givenName: 'Anna' }, emails: [emails[0]] });
    expect(await bench.target.read({ remoteId: 'User/anna' }, Object.keys(anna), calm)).toMatchObject({
      attributes: { displayName: ['Anna Rossi'], active: ['TRUE'], externalId: ['42'] },
    });
  });

  test('is not asked for where single values change, and nothing is sent where nothing does', async () => {
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    bench.server.asked.length = 0;
    const single = changePerson('anna', {
      displayName: ['A'],
      [employeeNumber]: ['43'],
      [manager]: ['9'],
      active: ['FALSE'],
    });
    await bench.target.apply({ ...single, stableId }, calm);
    expect(methods()).toEqual(['PATCH']);
    expect(theUser()).toMatchObject({ displayName: 'A', active: false });
    const nothing = [{ attribute: manager, action: 'add', values: [''] }] as const;
    await bench.target.apply({ ...single, stableId, changes: nothing }, calm);
    expect(methods()).toEqual(['PATCH']);
  });

  test('takes a password, which is never shown', async () => {
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    const next = 'correct horse';
    await bench.target.setPassword(
      { entity: 'person', remoteId: 'User/anna', stableId },
      { kind: 'reset', next, former: undefined },
      calm,
    );
    expect(theUser()).toMatchObject({ password: next, displayName: 'Anna Rossi' });
    await bench.target.apply({ ...changePerson('anna', { displayName: ['A'] }), stableId }, calm);
    expect(theUser()).toMatchObject({ password: next });
    bench.server.behave('no PATCH');
    await bench.target.ping(calm);
    await bench.target.apply({ ...changePerson('anna', { displayName: ['B'] }), stableId }, calm);
    expect(theUser()).toMatchObject({ password: next, displayName: 'B' });
  });

  test('that repeats a password does so in vain', async () => {
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    bench.server.behave('repeats passwords');
    const next = 'hush "42"';
    const entry = { entity: 'person', remoteId: 'User/anna', stableId };
    const error = await failure(bench.target.setPassword(entry, { kind: 'reset', next, former: undefined }, calm));
    expect(error).toMatchObject({ kind: 'rejected', message: expect.stringContaining('not good enough') });
    expect(JSON.stringify([error.message, error.data])).not.toContain('hush');
  });

  test('that is gone is said to be, by the id that it had', async () => {
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    bench.server.drop(stableId);
    const change = { ...changePerson('anna', { displayName: ['A'] }), stableId };
    expect(await failure(bench.target.apply(change, calm))).toMatchObject({ kind: 'gone', unsure: false });
    const list = { ...changePerson('anna', { phoneNumbers: ['9'] }), stableId };
    expect(await failure(bench.target.apply(list, calm))).toMatchObject({ kind: 'gone', unsure: false });
    expect(await bench.target.read({ remoteId: 'User/anna', stableId }, [], calm)).toBeUndefined();
    const another = bench.server.put('User', { userName: 'anna' });
    const found = await bench.target.read({ remoteId: 'User/anna', stableId }, [], calm);
    expect(found).toEqual({ remoteId: 'User/anna', stableId: another.id, attributes: {} });
  });
});

describe('a service', () => {
  test.each(['no PATCH', 'PATCH promised'] as const)('with %s has resources replaced', async (quirk) => {
    bench.server.behave(quirk);
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    for (const name of ['A', 'B'])
      await bench.target.apply({ ...changePerson('anna', { displayName: [name] }), stableId }, calm);
    expect(theUser()).toMatchObject({ displayName: 'B', emails: [{ type: 'work', value: 'anna@example.org' }] });
    const tried = methods().filter((method) => method === 'PATCH');
    expect(tried).toHaveLength(quirk === 'no PATCH' ? 0 : 1);
    const { body } = bench.server.asked.findLast(({ method }) => method === 'PUT') ?? {};
    expect(body).not.toHaveProperty('meta');
  });

  test('that takes neither PATCH nor PUT is configured wrongly', async () => {
    bench.server.behave('no PATCH');
    bench.server.behave('no PUT');
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    const change = { ...changePerson('anna', { displayName: ['A'] }), stableId };
    expect(await failure(bench.target.apply(change, calm))).toMatchObject({ kind: 'misconfigured' });
  });

  test('with versions has a resource read again that changed meanwhile', async () => {
    bench.server.behave('versions');
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    bench.server.meanwhile(() => {
      bench.server.put('User', { ...theUser(), phoneNumbers: [{ value: '2' }, { value: '8', type: 'fax' }] }, stableId);
    });
    const add = [{ attribute: 'phoneNumbers', action: 'add', values: ['3'] }] as const;
    await bench.target.apply({ ...changePerson('anna', {}), stableId, changes: add }, calm);
    expect(theUser()).toMatchObject({ phoneNumbers: [{ value: '2' }, { value: '8', type: 'fax' }, { value: '3' }] });
    expect(methods().filter((method) => method === 'PATCH')).toHaveLength(2);
  });

  test.each(['no scimType', undefined] as const)('that has the name already says so (%s)', async (quirk) => {
    if (quirk) bench.server.behave(quirk);
    await bench.target.apply(createPerson('anna', anna), calm);
    const error = await failure(bench.target.apply(createPerson('ANNA', {}), calm));
    expect(error).toMatchObject({ kind: 'exists', unsure: false });
    expect(error.message).toMatch(/^create User\/ANNA: POST http.*\/Users was answered 409: userName ANNA is taken/);
  });

  test('that does not keep names of groups apart is not given two of one', async () => {
    const group = { operation: 'create', entity: 'group', remoteId: 'Group/staff', attributes: {} } as const;
    const { stableId } = await bench.target.apply(group, calm);
    expect(await failure(bench.target.apply(group, calm))).toMatchObject({
      kind: 'exists',
      message: `create Group/staff: there is a resource of this displayName already, staff (${stableId})`,
    });
    bench.server.put('Group', { displayName: 'staff' });
    expect(await failure(bench.target.read({ remoteId: 'Group/staff' }, [], calm))).toMatchObject({ kind: 'rejected' });
  });

  test('that loses its answer leaves us unsure, and the resource is found by its name', async () => {
    bench.server.behave('lost create');
    expect(await failure(bench.target.apply(createPerson('anna', anna), calm))).toMatchObject({
      kind: 'unavailable',
      unsure: true,
    });
    const found = await bench.target.read({ remoteId: 'User/anna' }, ['displayName'], calm);
    expect(found).toMatchObject({ stableId: theUser()?.id, attributes: { displayName: ['Anna Rossi'] } });
    bench.server.behave('lost change');
    const change = { ...changePerson('anna', { displayName: ['A'] }), stableId: found?.stableId ?? '' };
    expect(await failure(bench.target.apply(change, calm))).toMatchObject({ kind: 'unavailable', unsure: true });
    expect(theUser()).toMatchObject({ displayName: 'A' });
  });

  test('that asks for a moment gets it; for longer, everybody waits', async () => {
    await bench.target.ping(calm);
    bench.server.limit(1, 1);
    await bench.target.apply(createPerson('anna', anna), calm);
    expect(theUser()).toMatchObject({ userName: 'anna' });
    bench.server.limit(2, 60);
    const error = await failure(bench.target.apply(createPerson('bob', {}), calm));
    expect(error).toMatchObject({ kind: 'unavailable', retryAfter: 60, unsure: false });
    expect(error.message).toContain('429: too many requests');
  });

  test('that refuses our token is configured wrongly', async () => {
    const target = createScimTarget({ url: bench.server.url, token: 'another' });
    expect(await failure(target.ping(calm))).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('the token is not right'),
    });
    await target.close();
  });

  test('that is a web page is none, and proves nothing absent', async () => {
    const { stableId = '' } = await bench.target.apply(createPerson('anna', anna), calm);
    bench.server.behave('web pages');
    expect(await failure(bench.target.read({ remoteId: 'User/anna', stableId }, [], calm))).toMatchObject({
      kind: 'misconfigured',
    });
    expect(await failure(bench.target.read({ remoteId: 'User/anna' }, [], calm))).toMatchObject({
      kind: 'misconfigured',
    });
    const elsewhere = createScimTarget({ url: `${bench.server.url}/elsewhere`, token: bench.server.token });
    expect(await failure(elsewhere.read({ remoteId: 'User/anna', stableId }, [], calm))).toMatchObject({
      kind: 'misconfigured',
    });
    expect(await failure(elsewhere.ping(calm))).toMatchObject({ kind: 'misconfigured' });
    await elsewhere.close();
  });

  test('says what it is, and that another one is not it', async () => {
    const { summary, identity } = await bench.target.ping(calm);
    expect(summary).toBe(`SCIM at ${bench.server.url}: PATCH, filters`);
    expect(identity).toBe(bench.server.url);
    bench.target.expect(identity);
    await bench.target.apply(createPerson('anna', anna), calm);
    bench.target.expect('https://old.example.org/scim');
    const error = await failure(bench.target.apply(createPerson('bob', {}), calm));
    expect(error).toMatchObject({ kind: 'misconfigured', message: expect.stringContaining('staffetta accept-target') });
    expect(bench.server.users()).toHaveLength(1);
  });

  test('without a resource type is asked for nothing of it', async () => {
    const entities = { badge: { resource: 'Badge', id: '{id}', attributes: {} } };
    const target = createScimTarget(bench.server, { entities });
    const message = 'the service has no resource type Badge: it has User, Group. Correct `resource:`';
    expect(await failure(target.ping(calm))).toMatchObject({ kind: 'misconfigured', message });
    await target.close();
  });
});

describe('values are the same', () => {
  test.each<[string, string[], string[], boolean]>([
    ['displayName', ['Anna'], ['ANNA'], true],
    ['externalId', ['a'], ['A'], false],
    ['active', ['TRUE'], ['true'], true],
    ['active', ['TRUE'], ['FALSE'], false],
    ['phoneNumbers', ['1', '2'], ['2', '1'], true],
    [manager, ['a'], ['A'], false],
    ['unheardOf', ['a'], ['A'], false],
  ])('%s: %j and %j', async (attribute, left, right, expected) => {
    await bench.target.ping(calm);
    expect(bench.target.same(attribute, left, right)).toBe(expected);
  });

  test('as names unless the configuration says that they know case', async () => {
    expect(bench.target.normalise('User/Anna')).toBe('User/anna');
    expect(bench.target.normalise('Group/Anna')).toBe('Group/anna');
    const entities = { person: { resource: 'User', id: '{uid}', naming: 'externalId', attributes: {} } };
    const target = createScimTarget(bench.server, { entities });
    expect(target.normalise('User/Anna')).toBe('User/Anna');
    expect(() => target.normalise('User/ ')).toThrow(expect.objectContaining({ kind: 'rejected' }));
    await target.close();
  });

  test('aside is a name of the same form', () => {
    expect(bench.target.aside('User/anna@example.org', '1')).toMatch(/^User\/staffetta-[0-9a-f]{24}@example.org$/);
  });
});
