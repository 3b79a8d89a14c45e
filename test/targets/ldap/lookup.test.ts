import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LdapTarget } from '../../../src/targets/ldap/target.ts';
import type { SearchFilter, SearchOptions } from '../../../src/targets/target.ts';
import { createDirectory, type Directory } from '../../setup/directory.ts';
import { createLdapTarget, patience } from './bench.ts';

let directory: Directory;
let target: LdapTarget;
const signal = patience();
const people = 'ou=people,dc=example,dc=org';

beforeAll(async () => {
  directory = await createDirectory();
  target = createLdapTarget(directory);
  const entries = ['ada', 'bob', 'eve'].map(
    (uid) => `dn: uid=${uid},${people}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid} (x)\nsn: ${uid}\n`,
  );
  await directory.add(entries.join('\n'));
});
afterAll(async () => {
  await target.close();
  await directory.close();
});

const found = async (filter: SearchFilter, options: SearchOptions) =>
  (await target.search(filter, options, signal)).map(({ remoteId }) => remoteId).sort();

test('a target says where its tree begins', async () => {
  expect(await target.base(signal)).toBe('dc=example,dc=org');
});

test('entries are found in the whole tree, or where somebody says, with the attributes that are asked for', async () => {
  expect(await found('(uid=*)', {})).toHaveLength(3);
  expect(await found('(objectClass=*)', { base: people, scope: 'base' })).toEqual([people]);
  const [ada] = await target.search('(cn=ada \\28x\\29)', { attributes: ['sn', 'mail'] }, signal);
  expect(ada).toEqual({ remoteId: `uid=ada,${people}`, attributes: { sn: ['ada'] } });
  expect(await found('(uid=*)', { limit: 2 })).toHaveLength(2);
});

test('entries are found by values, of which nothing is taken for a part of a filter', async () => {
  expect(await found({ uid: 'ada', objectClass: 'inetOrgPerson' }, {})).toEqual([`uid=ada,${people}`]);
  expect(await found({ cn: 'ada (x)' }, {})).toEqual([`uid=ada,${people}`]);
  expect(await found({ uid: '*' }, {})).toEqual([]);
  expect(await found({ uid: 'ada)(sn=*' }, {})).toEqual([]);
});

test('nothing is found where there is nothing', async () => {
  expect(await found('(uid=nobody)', {})).toEqual([]);
  expect(await found('(uid=ada)', { base: 'ou=nowhere,dc=example,dc=org' })).toEqual([]);
});

test('what is no filter is refused, and a base that is none, too', async () => {
  await expect(found('uid=ada)(', {})).rejects.toMatchObject({
    kind: 'rejected',
    message: /^expected a filter such as/,
  });
  await expect(found('(uid=ada)', { base: 'nonsense' })).rejects.toMatchObject({ kind: 'rejected' });
});
