import { describe, expect, test } from 'vitest';
import { ldap } from '../../../src/config/ldap.ts';
import { secretsOf } from '../../../src/targets/ldap/secrets.ts';

const config = ldap.parse({
  type: 'ldap',
  url: 'ldap://a',
  entities: {
    person: {
      dn: 'uid={uid},dc=x',
      attributes: {
        objectClass: { values: ['inetOrgPerson'] },
        cn: '{name}',
        pager: { from: 'pin', secret: true },
        mail: { from: 'mail', secret: false },
      },
    },
  },
});
const create = (entity: string) => ({
  operation: 'create' as const,
  entity,
  remoteId: 'uid=a,dc=x',
  attributes: {
    cn: ['Ada'],
    mail: ['a@x'],
    objectClass: ['inetOrgPerson'],
    pager: ['1234'],
    'userPassword;x-old': ['hush', { base64: Buffer.from('hash').toString('base64') }, { base64: '/9j/' }],
  },
});

describe('what a message must not repeat', () => {
  test('is what the mapping says is secret, and every password, as far as it is text', () => {
    expect(secretsOf(config, create('person'))).toEqual(['1234', 'hush', 'hash']);
  });

  test('is every password, also of an entity that has no mapping any more', () => {
    expect(secretsOf(config, create('stranger'))).toEqual(['hush', 'hash']);
  });

  test('is what a change brings, of values that come and that go', () => {
    const changes = [
      { attribute: 'unicodePwd', action: 'replace', values: ['new'] },
      { attribute: 'pager', action: 'delete', values: ['1234'] },
      { attribute: 'cn', action: 'replace', values: ['Ada'] },
    ] as const;
    expect(secretsOf(config, { operation: 'update', entity: 'person', remoteId: 'uid=a', changes })).toEqual([
      'new',
      '1234',
    ]);
    expect(secretsOf(config, { operation: 'remove', entity: 'person', remoteId: 'uid=a' })).toEqual([]);
  });

  test('is a password that was handed over, wherever the mapping has it written', () => {
    const entities = { guest: { dn: 'uid={uid},dc=x', password: { form: 'cleartext', attribute: 'syncPass' } } };
    const taking = ldap.parse({ type: 'ldap', url: 'ldap://a', entities });
    const changes = [{ attribute: 'syncPass', action: 'replace', values: ['handed'] }] as const;
    const change = { operation: 'update', entity: 'guest', remoteId: 'uid=a', changes } as const;
    expect(secretsOf(taking, change)).toEqual(['handed']);
  });
});
