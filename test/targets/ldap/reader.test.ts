import { ProtocolOperation } from 'ldapts';
import { afterEach, describe, expect, test } from 'vitest';
import type { LdapTarget } from '../../../src/targets/ldap/target.ts';
import { createLdapTarget, patience } from './bench.ts';
import { entry, type Reaction, type Received, result, startScriptedServer } from './scripted-server.ts';

const { LDAP_RES_SEARCH } = ProtocolOperation;

const signal = patience();
const account = { dn: 'cn=us,dc=x', password: 'our password' };
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** A server that answers searches like this; left out: its tree is dc=x. */
async function serve(
  script: (request: Received) => Reaction,
  more: Readonly<Record<string, unknown>> = {},
  root?: (request: Received) => Reaction,
) {
  const server = await startScriptedServer(script, root && { root });
  const target = createLdapTarget({ url: server.url, suffix: 'dc=x', bind: account }, more);
  cleanUp.push(() => server.close());
  cleanUp.push(() => target.close());
  return { server, target };
}

const people = 'ou=people,dc=x';
const where = { employeeNumber: '7' };
const question = [{ key: '7', entity: 'person', where }];
const failing = (code: number) => serve(({ id }) => [result(id, LDAP_RES_SEARCH, code)]);
const noRoot = ({ id }: Received): Reaction => [entry(id, '', {}), result(id, LDAP_RES_SEARCH)];
async function scan(target: LdapTarget, entity = 'person'): Promise<string[]> {
  const seen: string[] = [];
  for await (const { remoteId } of target.scan(entity, [], signal)) seen.push(remoteId);
  return seen;
}

describe('a search for existing entries', () => {
  test.each([
    [50, 'one-sided'],
    [51, 'unavailable'],
    [11, 'unknown'],
  ])('that is refused (%i) does not say that there are none', async (code, kind) => {
    const { target } = await failing(code);
    await expect(target.find(question, [], signal)).rejects.toMatchObject({ kind });
  });

  test('that breaks off does not, either', async () => {
    const { target } = await serve(() => 'cut');
    await expect(target.find(question, [], signal)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('takes an entry that a server finds by other rules than ours for no answer', async () => {
    const { target } = await serve(({ id }) => [
      entry(id, `uid=a,${people}`, { employeeNumber: ['77'] }),
      entry(id, `uid=b,${people}`, {}),
      result(id, LDAP_RES_SEARCH),
    ]);
    expect(await target.find(question, ['cn'], signal)).toEqual(new Map());
  });

  test('is not made for who has nothing to be recognised by', async () => {
    const { target, server } = await failing(80);
    const none = [{ ...question[0], key: '1', entity: 'person', where: {} }];
    const empty = [{ key: '2', entity: 'person', where: { employeeNumber: '' } }];
    expect(await target.find([...none, ...empty], [], signal)).toEqual(new Map());
    expect(server.received.filter(({ dn }) => dn === people)).toEqual([]);
  });
});

describe('a look at all entries', () => {
  test('leaves out the place where they are, and asks for every class where the mapping names none', async () => {
    const { target, server } = await serve(
      ({ id, dn }) => [
        entry(id, 'OU=People, dc=x', {}),
        entry(id, `uid=a,${people}`, {}),
        result(id, LDAP_RES_SEARCH, dn === people ? 0 : 32),
      ],
      { entities: { person: { dn: `uid={uid},${people}` } } },
    );
    expect(await scan(target)).toEqual([`uid=a,${people}`]);
    expect(server.received.at(-1)?.bytes.includes('objectClass')).toBe(true);
  });

  test('of an entity that is not configured is a mistake', async () => {
    const { target } = await failing(0);
    await expect(scan(target, 'stranger')).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('stranger'),
    });
  });

  test('is not taken where nobody knows where to look: it would see that there are none', async () => {
    const { target } = await serve(
      ({ id }) => [result(id, LDAP_RES_SEARCH)],
      { entities: { person: { dn: '{dn}' } } },
      noRoot,
    );
    await expect(scan(target)).rejects.toMatchObject({ kind: 'misconfigured' });
    await expect(target.find(question, [], signal)).rejects.toMatchObject({ kind: 'misconfigured' });
  });

  test('ends with an error where a part of it breaks off', async () => {
    const { target } = await serve(({ id, dn }) =>
      dn === people ? [entry(id, `uid=a,${people}`, {}), result(id, LDAP_RES_SEARCH)] : 'cut',
    );
    await expect(scan(target)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('an entry with a stable id that is not where it was', () => {
  const moved = { remoteId: `uid=a,${people}`, stableId: 'u-1' };
  /** `found`: whether anything is found by its stable id, the root of the tree included. */
  const tree =
    (named: string | undefined, found: boolean) =>
    ({ id, dn, bytes }: Received): Reaction => {
      const root = { entryUUID: ['u-root'] };
      if (bytes.includes('u-root')) return [...(found ? [entry(id, dn, root)] : []), result(id, LDAP_RES_SEARCH)];
      if (bytes.includes('u-1')) return [result(id, LDAP_RES_SEARCH)];
      if (dn === 'dc=x' || dn === people) return [entry(id, dn, root), result(id, LDAP_RES_SEARCH)];
      if (dn === moved.remoteId && named !== undefined)
        return [entry(id, dn, { entryUUID: [named] }), result(id, LDAP_RES_SEARCH)];
      return [result(id, LDAP_RES_SEARCH, 32)];
    };

  test('is gone where a search that finds others by theirs does not find it', async () => {
    const { target } = await serve(tree(undefined, true));
    expect(await target.read(moved, [], signal)).toBeUndefined();
  });

  test('is not told from one that moved where nothing can be found by it', async () => {
    const { target } = await serve(tree(undefined, false));
    await expect(target.read(moved, [], signal)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('Grant the account'),
    });
  });

  test('leaves its place to another, which is shown with its own', async () => {
    const { target } = await serve(tree('u-2', true));
    expect(await target.read(moved, [], signal)).toMatchObject({ remoteId: moved.remoteId, stableId: 'u-2' });
  });

  test('is not looked for in a tree that the server does not name', async () => {
    const { target, server } = await serve(tree(undefined, true), {}, noRoot);
    expect(await target.read(moved, [], signal)).toBeUndefined();
    expect(server.received.some(({ bytes }) => bytes.includes('u-1'))).toBe(false);
  });
});
