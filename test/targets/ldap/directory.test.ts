import { ProtocolOperation } from 'ldapts';
import { afterEach, describe, expect, test } from 'vitest';
import { createLdapTarget, patience } from './bench.ts';
import {
  entry,
  extended,
  type Reaction,
  type Received,
  result,
  type ScriptedServer,
  type Shown,
  startScriptedServer,
} from './scripted-server.ts';

const { LDAP_REQ_ADD, LDAP_REQ_EXTENSION, LDAP_REQ_SEARCH, LDAP_RES_ADD, LDAP_RES_SEARCH } = ProtocolOperation;

const signal = patience();
const people = 'ou=people,dc=x';
const account = { dn: 'cn=us,dc=x', password: 'our password' };
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** What a server shows: entries by name; what is not among them is not there. */
type Tree = Readonly<Record<string, Shown>>;

/** A server with these entries, of which the one without a name is its root DSE; it takes whatever is added. */
async function serve(tree: Tree, more: Readonly<Record<string, unknown>> = {}, script?: Script) {
  const answer: Script = (request) => script?.(request) ?? show(tree, request);
  const server = await startScriptedServer(answer, { root: answer });
  const target = createLdapTarget({ url: server.url, suffix: 'dc=x', bind: account }, more);
  cleanUp.push(() => server.close());
  cleanUp.push(() => target.close());
  return { server, target };
}

type Script = (request: Received) => Reaction;

function show(tree: Tree, { id, operation, dn }: Received): Reaction {
  if (operation === LDAP_REQ_ADD) return [result(id, LDAP_RES_ADD)];
  const shown = tree[dn];
  if (shown === undefined) return [result(id, LDAP_RES_SEARCH, 32)];
  return [entry(id, dn, shown), result(id, LDAP_RES_SEARCH)];
}

const root = { namingContexts: ['dc=x'] };
const create = {
  operation: 'create',
  entity: 'person',
  remoteId: `uid=a,${people}`,
  attributes: { objectClass: ['inetOrgPerson'], uid: ['a'] },
} as const;
const searches = ({ received }: ScriptedServer) => received.filter(({ operation }) => operation === LDAP_REQ_SEARCH);

describe('what a server says of itself', () => {
  test.each<[string, Shown, string]>([
    [
      'its vendor',
      { vendorName: ['389 Project'], vendorVersion: ['389-Directory/2.3'] },
      '389 Project 389-Directory/2.3 at',
    ],
    ['what its root DSE is', { structuralObjectClass: ['OpenLDAProotDSE'] }, 'OpenLDAP at'],
    ['its capabilities', { supportedCapabilities: ['1.2.840.113556.1.4.800'] }, 'Active Directory at'],
    ['nothing', {}, 'an LDAP server at'],
  ])('names its product: %s', async (_, shown, summary) => {
    const { target } = await serve({ '': { ...root, ...shown }, 'dc=x': {} });
    expect((await target.ping(signal)).summary).toContain(summary);
  });

  test('is understood however it writes the names of attributes', async () => {
    const { target } = await serve({ '': { NAMINGCONTEXTS: ['dc=x'], VENDORNAME: ['Loud'] }, 'dc=x': {} });
    expect((await target.ping(signal)).summary).toContain('Loud at');
  });

  test('tells the tree that holds our entries: the nearest of those that it has', async () => {
    const contexts = ['cn=config', 'not a name', 'dc=x', `${people}\0`];
    const { target } = await serve({ '': { namingContexts: contexts }, [people]: {} });
    expect((await target.ping(signal)).summary).toContain(`, ${people}, as`);
  });

  test.each<[string, Tree, string]>([
    ['no root DSE', {}, 'it shows no tree at all'],
    ['no tree', { '': {} }, 'it shows no tree at all'],
    ['another tree', { '': { namingContexts: ['dc=other', 'cn=config'] } }, 'it holds dc=other and cn=config'],
    ['a tree without its root', { '': root }, 'add the root of the tree'],
  ])('is a mistake to be mended where it shows %s', async (_, tree, message) => {
    const { target } = await serve(tree);
    await expect(target.ping(signal)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining(message),
    });
  });

  test('is asked again where it was too busy to say it', async () => {
    let busy = true;
    const { target } = await serve({ '': root, 'dc=x': {} }, {}, (request) => {
      const answer = busy && request.dn === '' && request.operation === LDAP_REQ_SEARCH;
      return answer ? [result(request.id, LDAP_RES_SEARCH, 51)] : show({ '': root, 'dc=x': {} }, request);
    });
    await expect(target.apply(create, signal)).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
    busy = false;
    expect(await target.apply(create, signal)).toMatchObject({ remoteId: create.remoteId });
  });

  test('may leave out its schema: then we go by what everybody knows', async () => {
    const tree = { '': { ...root, subschemaSubentry: ['cn=hidden'] }, [create.remoteId]: { CN: ['Ada'] } };
    const { target } = await serve(tree);
    expect((await target.read(create, ['cn'], signal))?.attributes).toEqual({ cn: ['Ada'] });
    expect(target.same('cn', ['ada  lovelace'], ['Ada Lovelace'])).toBe(true);
    expect(target.same('jpegPhoto', ['a'], ['A'])).toBe(false);
  });
});

describe('as whom a server sees us', () => {
  const offering = { '': { ...root, supportedExtension: ['1.3.6.1.4.1.4203.1.11.3'] }, 'dc=x': {} };
  const sayingOf =
    (said: string): Script =>
    (request) =>
      request.operation === LDAP_REQ_EXTENSION ? [extended(request.id, said)] : show(offering, request);

  test.each<[string, string]>([
    ['dn:cn=us,dc=x', 'cn=us,dc=x'],
    ['u:us', 'us'],
    ['', 'nobody'],
  ])('is told as it tells it: "%s"', async (said, account) => {
    const { target } = await serve(offering, {}, sayingOf(said));
    expect((await target.ping(signal)).summary).toMatch(new RegExp(`, as ${account}$`));
  });

  test.each<[string, { readonly bind?: undefined }, string]>([
    ['the account that we bind as', {}, account.dn],
    ['nobody, where we do not bind', { bind: undefined }, 'nobody'],
  ])('is, where it cannot tell: %s', async (_, more, name) => {
    const { server, target } = await serve({ '': root, 'dc=x': {} }, more);
    expect((await target.ping(signal)).summary).toMatch(new RegExp(`, as ${name}$`));
    expect(server.received.some(({ operation }) => operation === LDAP_REQ_EXTENSION)).toBe(false);
  });

  test('may be asked by nobody, too', async () => {
    const { target } = await serve(offering, { bind: undefined }, sayingOf(''));
    expect((await target.ping(signal)).summary).toMatch(/, as nobody$/);
  });
});

describe('the id that survives renames', () => {
  const types = (...names: string[]) => ({ attributeTypes: names.map((name, at) => `( 1.2.${at} NAME '${name}' )`) });
  const told = async (more: Shown, schema: Shown, shown: Shown) => {
    const tree = {
      '': { ...root, subschemaSubentry: ['cn=schema'], ...more },
      'cn=schema': schema,
      'dc=x': shown,
      [create.remoteId]: shown,
    };
    const { server, target } = await serve(tree);
    return { server, target, tree };
  };

  test('is nsUniqueId, where that is what the server has', async () => {
    const { target } = await told({}, types('cn', 'nsUniqueId'), { nsuniqueid: ['1A2B-3C4D'] });
    expect((await target.ping(signal)).identity).toBe('1a2b-3c4d');
    expect((await target.read(create, [], signal))?.stableId).toBe('1a2b-3c4d');
    expect(await target.apply(create, signal)).toEqual({ remoteId: create.remoteId, stableId: '1a2b-3c4d' });
  });

  test('is objectGUID in Active Directory, of which the bytes are searched for', async () => {
    const guid = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
    const stableId = '00112233-4455-6677-8899-aabbccddeeff';
    const { server, target } = await told(
      { supportedCapabilities: ['1.2.840.113556.1.4.800'] },
      {},
      { objectGUID: [guid] },
    );
    expect((await target.read(create, [], signal))?.stableId).toBe(stableId);
    const moved = { remoteId: `uid=b,${people}`, stableId };
    expect((await target.read(moved, [], signal))?.stableId).toBe(stableId);
    expect(searches(server).at(-1)?.bytes.includes(guid)).toBe(true);
  });

  test('may be missing: then the name of the root says which directory it is', async () => {
    const { target } = await told({}, types('cn'), { cn: ['a'] });
    expect((await target.ping(signal)).identity).toBe('dc=x');
    expect(await target.apply(create, signal)).toEqual({ remoteId: create.remoteId });
    // An id that the link remembers of another server leads nowhere: the name decides.
    const remembered = { ...create, stableId: '1a2b-3c4d' };
    expect(await target.read(remembered, ['cn'], signal)).toEqual({
      remoteId: create.remoteId,
      attributes: { cn: ['a'] },
    });
  });

  test('is read after the entry is made, where the server does not tell it with the change', async () => {
    const { server, target } = await told({}, types('entryUUID'), { entryUUID: ['u-1'] });
    expect(await target.apply(create, signal)).toEqual({ remoteId: create.remoteId, stableId: 'u-1' });
    expect(server.received.at(-1)).toMatchObject({ operation: LDAP_REQ_SEARCH, dn: create.remoteId });
  });
});

test('a list of values of which the server shows only a part is not taken for the whole', async () => {
  const tree = { '': root, [create.remoteId]: { 'member;range=0-1499': ['cn=a', 'cn=b'] } };
  const { target } = await serve(tree);
  await expect(target.read(create, ['member'], signal)).rejects.toMatchObject({
    kind: 'unknown',
    message: expect.stringContaining('member;range=0-1499'),
  });
});

test('a creator whose name is no name says nothing of who made an entry', async () => {
  const { target } = await serve({ '': root, [create.remoteId]: { creatorsName: ['SYSTEM'] } });
  expect(await target.read(create, [], signal)).not.toHaveProperty('createdByUs');
});
