import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LdapConfig, ldap } from '../../../src/config/ldap.ts';
import { Server } from '../../../src/targets/ldap/server.ts';

const bind = { dn: 'cn=us', password: 'x' };
const config: LdapConfig = ldap.parse({ type: 'ldap', url: 'ldap://localhost', bind, startTls: true, entities: {} });

describe('a server', () => {
  test.each<[string, Partial<Server>]>([
    ['ldap://a.example.org', { host: 'a.example.org', port: 389, secure: false, startTls: true }],
    ['ldap://a.example.org:1389/', { host: 'a.example.org', port: 1389 }],
    ['ldaps://a.example.org', { port: 636, secure: true, startTls: false }],
    ['ldaps://[2001:db8::1]:3269', { host: '2001:db8::1', port: 3269 }],
    ['ldap://', { host: 'localhost', port: 389 }],
  ])('at %s', (url, expected) => {
    expect(new Server(url, config, '.')).toMatchObject(expected);
  });

  test('is greeted by an account, or by nobody on purpose', () => {
    const { bind: _, ...anonymous } = config;
    expect(new Server('ldap://a', config, '.').account()).toEqual(bind);
    expect(new Server('ldap://a', anonymous, '.').account()).toBeUndefined();
  });

  test.each([
    { dn: '', password: 'x' },
    { dn: 'cn=us', password: '' },
  ])('is never greeted by nobody in the guise of an account: %o', (empty) => {
    const server = new Server('ldap://a', { ...config, bind: empty }, '.');
    expect(() => server.account()).toThrow(expect.objectContaining({ kind: 'misconfigured' }));
  });

  test('is not greeted at all where the password cannot be read', async () => {
    const secret = ldap.parse({
      type: 'ldap',
      url: 'ldap://a',
      bind: { dn: 'cn=us', password: { file: 'no/such' } },
      entities: {},
    });
    expect(() => new Server('ldap://a', secret, '.').account()).toThrow(
      expect.objectContaining({ kind: 'misconfigured', message: expect.stringContaining('no/such') }),
    );
  });

  test('is shown our certificate, from files that are found beside the configuration', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'staffetta-server-'));
    try {
      for (const name of ['ca', 'cert', 'key']) await writeFile(join(folder, `${name}.pem`), `the ${name}`);
      const tls = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };
      const options = new Server('ldaps://a', { ...config, tls }, folder).tls();
      expect([options.ca, options.cert, options.key].map(String)).toEqual(['the ca', 'the cert', 'the key']);
      const missing = new Server('ldaps://a', { ...config, tls: { ...tls, key: 'other.pem' } }, folder);
      expect(() => missing.tls()).toThrow(
        expect.objectContaining({ kind: 'misconfigured', message: expect.stringContaining(join(folder, 'other.pem')) }),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('is checked for the name it is expected to have', () => {
    expect(new Server('ldaps://a.example.org', config, '.').tls().servername).toBe('a.example.org');
    expect(new Server('ldaps://127.0.0.1', config, '.').tls().servername).toBeUndefined();
    const named = { ...config, tls: { serverName: 'b.example.org' } };
    expect(new Server('ldaps://a.example.org', named, '.').tls().servername).toBe('b.example.org');
  });
});
