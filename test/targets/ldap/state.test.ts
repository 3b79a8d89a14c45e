import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LdapTarget } from '../../../src/targets/ldap/target.ts';
import { createDirectory, type Directory } from '../../setup/directory.ts';
import { createLdapTarget, patience } from './bench.ts';

let directory: Directory;
const targets: LdapTarget[] = [];
const signal = patience();
const people = 'ou=people,dc=example,dc=org';
const bind = { dn: `uid=other,${people}`, password: 'pw' };

function boundAs(more: Parameters<typeof createLdapTarget>[1]): LdapTarget {
  const target = createLdapTarget(directory, more);
  targets.push(target);
  return target;
}

beforeAll(async () => {
  directory = await createDirectory();
  await directory.add(
    `dn: ${bind.dn}\nobjectClass: inetOrgPerson\nuid: other\ncn: o\nsn: o\nuserPassword: ${bind.password}\n`,
  );
});
afterAll(async () => {
  for (const target of targets) await target.close();
  await directory.close();
});

describe('who created an entry (PROTOCOL B6)', () => {
  const remoteId = `uid=made,${people}`;
  const attributes = { objectClass: ['inetOrgPerson'], uid: ['made'], cn: ['made'], sn: ['made'] };

  test('is told: we, however our account is written, or another', async () => {
    const { dn, password } = directory.bind;
    const us = boundAs({});
    await us.apply({ operation: 'create', entity: 'person', remoteId, attributes }, signal);
    expect(await us.read({ remoteId }, ['cn'], signal)).toMatchObject({
      createdByUs: true,
      attributes: { cn: ['made'] },
    });
    const shouting = boundAs({ bind: { dn: dn.toUpperCase().replaceAll(',', ' , '), password } });
    expect(await shouting.read({ remoteId }, [], signal)).toMatchObject({ createdByUs: true, attributes: {} });
    expect(await boundAs({ bind }).read({ remoteId }, ['cn'], signal)).toMatchObject({ createdByUs: false });
  });
});
