import { ProtocolOperation } from 'ldapts';
import { afterEach, describe, expect, test } from 'vitest';
import { createLdapTarget, patience } from './bench.ts';
import { entry, type Reaction, type Received, result, startScriptedServer } from './scripted-server.ts';

const { LDAP_REQ_DELETE, LDAP_REQ_MODIFY, LDAP_REQ_MODRDN, LDAP_REQ_SEARCH } = ProtocolOperation;
const { LDAP_RES_DELETE, LDAP_RES_MODIFY, LDAP_RES_MODRDN, LDAP_RES_SEARCH } = ProtocolOperation;

const signal = patience();
const account = { dn: 'cn=us,dc=x', password: 'our password' };
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** A server that shows every entry it is asked for, and takes changes like this. */
async function serve(script: (request: Received) => Reaction | undefined) {
  const server = await startScriptedServer(
    (request) => script(request) ?? [entry(request.id, request.dn, {}), result(request.id, LDAP_RES_SEARCH)],
  );
  const target = createLdapTarget({ url: server.url, suffix: 'dc=x', bind: account });
  cleanUp.push(() => server.close());
  cleanUp.push(() => target.close());
  const sent = (operation: number) => server.received.filter((request) => request.operation === operation);
  return { target, sent };
}

const remoteId = 'cn=all,ou=groups,dc=x';
const remove = { operation: 'remove', entity: 'group', remoteId } as const;

describe('a removal', () => {
  test('of what somebody else has removed in this moment is none', async () => {
    const { target, sent } = await serve(({ id, operation }) =>
      operation === LDAP_REQ_DELETE ? [result(id, LDAP_RES_DELETE, 32)] : undefined,
    );
    expect(await target.apply(remove, signal)).toEqual({ remoteId });
    expect(sent(LDAP_REQ_DELETE)).toHaveLength(1);
  });

  test('that is refused is told', async () => {
    const { target } = await serve(({ id, operation }) =>
      operation === LDAP_REQ_DELETE ? [result(id, LDAP_RES_DELETE, 50)] : undefined,
    );
    await expect(target.apply(remove, signal)).rejects.toMatchObject({ kind: 'one-sided', unsure: false });
  });

  test('that is not answered may have been made', async () => {
    const { target } = await serve(({ operation }) => (operation === LDAP_REQ_DELETE ? 'cut' : undefined));
    await expect(target.apply(remove, signal)).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
  });
});

describe('a change that takes several requests', () => {
  const values = Array.from({ length: 2500 }, (_, at) => `uid=${at},dc=x`);
  const change = {
    operation: 'update',
    entity: 'group',
    remoteId,
    changes: [{ attribute: 'member', action: 'replace', values }],
  } as const;

  test.each<[string, (id: number) => Reaction, string]>([
    ['is refused', (id) => [result(id, LDAP_RES_MODIFY, 50)], 'one-sided'],
    ['is not answered', () => 'cut', 'unavailable'],
  ])('is half made where one of them %s', async (_, second, kind) => {
    let modified = 0;
    const { target, sent } = await serve(({ id, operation }) => {
      if (operation !== LDAP_REQ_MODIFY) return undefined;
      modified += 1;
      return modified === 2 ? second(id) : [result(id, LDAP_RES_MODIFY)];
    });
    await expect(target.apply(change, signal)).rejects.toMatchObject({ kind, unsure: true });
    expect(sent(LDAP_REQ_MODIFY)).toHaveLength(2);
  });

  test('is not begun where the first is refused', async () => {
    const { target, sent } = await serve(({ id, operation }) =>
      operation === LDAP_REQ_MODIFY ? [result(id, LDAP_RES_MODIFY, 65)] : undefined,
    );
    await expect(target.apply(change, signal)).rejects.toMatchObject({ kind: 'rejected', unsure: false });
    expect(sent(LDAP_REQ_MODIFY)).toHaveLength(1);
  });

  test('of which nothing is to be changed sends none', async () => {
    const { target, sent } = await serve(() => undefined);
    expect(await target.apply({ ...change, changes: [] }, signal)).toEqual({ remoteId });
    expect(sent(LDAP_REQ_MODIFY)).toEqual([]);
  });
});

describe('a rename', () => {
  const rename = {
    operation: 'update',
    entity: 'group',
    remoteId,
    renameTo: 'cn=every,ou=groups,dc=x',
    changes: [],
  } as const;

  test('of an entry that is not there any more is not sent', async () => {
    const { target, sent } = await serve(({ id, operation, dn }) =>
      operation === LDAP_REQ_SEARCH && dn === remoteId ? [result(id, LDAP_RES_SEARCH, 32)] : undefined,
    );
    await expect(target.apply(rename, signal)).rejects.toMatchObject({
      kind: 'gone',
      message: expect.stringContaining('cn=every'),
    });
    expect(sent(LDAP_REQ_MODRDN)).toEqual([]);
  });

  test('that is refused leaves everything as it was', async () => {
    const { target, sent } = await serve(({ id, operation }) =>
      operation === LDAP_REQ_MODRDN ? [result(id, LDAP_RES_MODRDN, 68)] : undefined,
    );
    await expect(target.apply(rename, signal)).rejects.toMatchObject({ kind: 'exists', unsure: false });
    expect(sent(LDAP_REQ_MODIFY)).toEqual([]);
  });

  test('to a name that is no text sends what it was given, and leaves the old one among the attributes', async () => {
    const { target, sent } = await serve(({ id, operation, dn }) => {
      if (operation === LDAP_REQ_MODRDN) return [result(id, LDAP_RES_MODRDN)];
      if (operation === LDAP_REQ_MODIFY) return [result(id, LDAP_RES_MODIFY)];
      return [entry(id, dn, { cn: ['all'] }), result(id, LDAP_RES_SEARCH)];
    });
    const renameTo = '1.2.3=#0500,ou=groups,dc=x';
    expect(await target.apply({ ...rename, renameTo }, signal)).toEqual({ remoteId: renameTo });
    expect(sent(LDAP_REQ_MODRDN)[0]?.bytes.includes('1.2.3=#0500')).toBe(true);
    expect(sent(LDAP_REQ_MODIFY)).toMatchObject([{ dn: renameTo }]);
    expect(sent(LDAP_REQ_MODIFY)[0]?.bytes.includes('all')).toBe(true);
  });
});
