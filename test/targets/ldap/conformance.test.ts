import { escapeValue } from '../../../src/targets/ldap/dn.ts';
import { openProxy } from '../../convergence/proxy.ts';
import { createDirectory, type Directory } from '../../setup/directory.ts';
import { type Bench, conformance } from '../conformance.ts';
import { createLdapTarget } from './bench.ts';

/** An account that may read everything and write nothing. */
const reader = { dn: 'uid=reader,dc=example,dc=org', password: 'Nur-lesen-1' };

conformance('ldap', async () => {
  const directory = await createDirectory({
    database: [`access to attrs=userPassword by anonymous auth by * none`, 'access to * by * read'],
  });
  const { suffix } = directory;
  await directory.add(`dn: ${reader.dn}
objectClass: account
objectClass: simpleSecurityObject
uid: reader
userPassword: ${reader.password}`);
  // Cuts every connection as soon as the server has answered a change, before the answer is passed on.
  let deaf = false;
  const proxy = await openProxy(directory.url, { answered: () => deaf && proxy.cut() });
  const entities = {
    person: { dn: `uid={uid},ou=people,${suffix}`, password: 'exop' },
    group: { dn: `cn={name},ou=groups,${suffix}` },
  };
  const target = createLdapTarget({ ...directory, url: proxy.url }, { entities });
  const id = (name: string) => `uid=${escapeValue(name)},ou=people,${suffix}`;
  const attributes = (name: string, title = 'first') => ({
    objectClass: ['inetOrgPerson'],
    uid: [name],
    cn: [name],
    sn: [name],
    employeeNumber: [`n-${name}`],
    title: [title],
  });
  /** What ldapsearch sees of an entry, its attributes in letters of the server's. */
  const entry = async (name: string, ...wanted: readonly string[]) =>
    [...(await directory.entries(`(uid=${escapeFilter(name)})`, ...wanted)).values()][0];
  /** Somebody else's attempt to create an entry. */
  const attemptAs = (bind: Directory['bind'], name: string) => async (signal: AbortSignal) => {
    const other = createLdapTarget({ ...directory, bind });
    try {
      await other.apply(
        { operation: 'create', entity: 'person', remoteId: id(name), attributes: attributes(name) },
        signal,
      );
    } finally {
      await other.close();
    }
  };
  const bench: Bench = {
    target,
    entity: 'person',
    title: 'title',
    unique: 'employeeNumber',
    id,
    attributes,
    titles: async (name) => {
      const found = await entry(name, 'title');
      return found && (found.title ?? []);
    },
    several: 'mail',
    bytes: 'jpegPhoto',
    values: async (name, attribute) => {
      const found = await entry(name, attribute);
      return (
        found &&
        (found[attribute] ?? []).map((value) => (value.startsWith('base64:') ? { base64: value.slice(7) } : value))
      );
    },
    references: {
      entity: 'group',
      attribute: 'member',
      id: (name) => `cn=${escapeValue(name)},ou=groups,${suffix}`,
      attributes: (name) => ({ objectClass: ['groupOfNames'], cn: [name] }),
      members: async (name) => [...(await directory.entries(`(cn=${name})`, 'member')).values()][0]?.member,
    },
    login: async (name, password) => {
      const { dn } = { dn: id(name) };
      const other = createLdapTarget({ ...directory, bind: { dn, password } });
      try {
        await other.ping(AbortSignal.timeout(10_000));
        return true;
      } catch (error) {
        if (error instanceof Error && error.message.includes('invalidCredentials')) return false;
        throw error;
      } finally {
        await other.close();
      }
    },
    secrets: [directory.bind.password, reader.password],
    bring: {
      unavailable: async () => {
        await directory.stop();
        return { over: () => directory.start() };
      },
      misconfigured: async () => ({ attempt: attemptAs({ dn: directory.bind.dn, password: 'wrong' }, 'stranger') }),
      'one-sided': async () => ({ attempt: attemptAs(reader, 'forbidden') }),
      dependency: async () => ({
        attempt: (signal) =>
          target.apply(
            {
              operation: 'create',
              entity: 'person',
              remoteId: `uid=orphan,ou=nowhere,${suffix}`,
              attributes: attributes('orphan'),
            },
            signal,
          ),
      }),
      rejected: async () => ({
        attempt: (signal) =>
          target.apply(
            {
              operation: 'create',
              entity: 'person',
              remoteId: id('unheard'),
              attributes: { ...attributes('unheard'), unheardOf: ['x'] },
            },
            signal,
          ),
      }),
      converged: async () => {
        const add = { operation: 'create', entity: 'person', remoteId: id('plural') } as const;
        await target.apply(
          { ...add, attributes: { ...attributes('plural'), mail: ['a@x'] } },
          AbortSignal.timeout(5000),
        );
        const changes = [{ attribute: 'mail', action: 'add', values: ['a@x'] }] as const;
        return {
          attempt: (signal) =>
            target.apply({ operation: 'update', entity: 'person', remoteId: id('plural'), changes }, signal),
        };
      },
    },
    without: {
      'stable id': 'LDAP names an entry by its DN; where it may be another, the engine reads it first',
      unknown: 'slapd fails in no way that is unknown; test/targets/ldap/errors.test.ts has the codes',
    },
    loseAnswer: async () => {
      deaf = true;
      return {
        over: async () => {
          deaf = false;
        },
      };
    },
    hang: async () => {
      await directory.kill('SIGSTOP');
      return { over: () => directory.kill('SIGCONT') };
    },
    close: async () => {
      await target.close();
      await proxy.close();
      await directory.close();
    },
  };
  return bench;
});

/** A value in a filter of ldapsearch (RFC 4515). */
function escapeFilter(value: string): string {
  return [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
}
