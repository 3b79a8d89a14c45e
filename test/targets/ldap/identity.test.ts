import { ProtocolOperation } from 'ldapts';
import { afterEach, describe, expect, test } from 'vitest';
import { createLdapTarget, patience } from './bench.ts';
import { entry, type Reaction, type Received, result, startScriptedServer } from './scripted-server.ts';

const { LDAP_REQ_ADD, LDAP_RES_ADD, LDAP_RES_SEARCH } = ProtocolOperation;

const signal = patience();
const account = { dn: 'cn=us,dc=x', password: 'our password' };
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** A directory of which the root has this id, or which answers the question for it with this result. */
async function serve(shown: string | number | undefined, more: Readonly<Record<string, unknown>> = {}) {
  const answers = { root: shown };
  const script = ({ id, operation, dn }: Received): Reaction => {
    if (operation === LDAP_REQ_ADD) return [result(id, LDAP_RES_ADD)];
    if (dn !== 'dc=x') return [entry(id, dn, {}), result(id, LDAP_RES_SEARCH)];
    if (typeof answers.root === 'number') return [result(id, LDAP_RES_SEARCH, answers.root)];
    const found = answers.root === undefined ? [] : [entry(id, dn, { entryUUID: [answers.root] })];
    return [...found, result(id, LDAP_RES_SEARCH)];
  };
  const server = await startScriptedServer(script);
  const target = createLdapTarget({ url: server.url, suffix: 'dc=x', bind: account }, more);
  cleanUp.push(() => server.close());
  cleanUp.push(() => target.close());
  const added = () => server.received.filter(({ operation }) => operation === LDAP_REQ_ADD);
  const questions = () => server.received.filter(({ dn }) => dn === 'dc=x');
  return { server, target, answers, added, questions };
}

const create = {
  operation: 'create',
  entity: 'person',
  remoteId: 'uid=a,ou=people,dc=x',
  attributes: { objectClass: ['inetOrgPerson'], uid: ['a'] },
} as const;

describe('a directory that is expected to be the one that the links belong to (PROTOCOL C5)', () => {
  test('is asked once for each connection, before anything is done', async () => {
    const { target, server, questions, added } = await serve('ours');
    target.expect('ours');
    await target.apply(create, signal);
    await target.apply(create, signal);
    expect(added()).toHaveLength(2);
    expect(questions()).toHaveLength(1);
    const asked = server.received.map(({ dn }) => dn);
    expect(asked.indexOf('dc=x')).toBeLessThan(asked.indexOf(create.remoteId));
  });

  test.each<[string, string | number, string]>([
    ['is another', 'theirs', 'is theirs, another directory than the one that the links belong to (ours)'],
    ['has no such tree', 32, 'is a directory without this tree, another directory'],
  ])('is neither written to nor read where it %s', async (_, shown, message) => {
    const { target, added } = await serve(shown);
    target.expect('ours');
    const refusal = { kind: 'misconfigured', unsure: false, message: expect.stringContaining(message) };
    await expect(target.apply(create, signal)).rejects.toMatchObject(refusal);
    await expect(target.read(create, [], signal)).rejects.toMatchObject(refusal);
    await expect(target.scan('person', [], signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
    expect(added()).toEqual([]);
  });

  test('is as good as any other once none is expected', async () => {
    const { target, added } = await serve('theirs');
    target.expect('ours');
    await expect(target.apply(create, signal)).rejects.toMatchObject({ kind: 'misconfigured' });
    target.expect(undefined);
    await target.apply(create, signal);
    target.expect('theirs');
    await target.apply(create, signal);
    expect(added()).toHaveLength(2);
  });

  test.each<[string, number | undefined]>([
    ['does not show the root of its tree to us', undefined],
    ['refuses us the root of its tree', 50],
  ])('cannot be told from another where it %s: it is taken for the one', async (_, shown) => {
    const { target, added } = await serve(shown);
    target.expect('ours');
    await target.apply(create, signal);
    expect(added()).toHaveLength(1);
  });

  test('is asked again where it was too busy to say', async () => {
    const { target, answers, added } = await serve(51);
    target.expect('ours');
    await expect(target.apply(create, signal)).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
    answers.root = 'ours';
    await target.apply(create, signal);
    expect(added()).toHaveLength(1);
  });

  test('is known by its first tree where the mapping does not say where entries are', async () => {
    for (const entities of [{}, { person: { dn: '{dn}' } }]) {
      const { target } = await serve('ours', { entities });
      expect((await target.ping(signal)).identity).toBe('ours');
    }
  });
});
