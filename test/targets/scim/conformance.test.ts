import { type Bench, conformance } from '../conformance.ts';
import { changePerson, createBench, createScimTarget, employeeNumber, workMail } from './bench.ts';
import type { Quirk } from './quirk.ts';
import { valuesOf } from './values.ts';

/** How the service behaves, and what the configuration says. */
const kinds: Readonly<Record<string, { readonly quirks?: readonly Quirk[]; readonly config?: object }>> = {
  scim: {},
  'scim, replacing resources': { quirks: ['no PATCH'] },
  'scim, with cursors, versions and no filters': {
    quirks: ['cursors', 'versions', 'no filters'],
    config: { pageSize: 20 },
  },
  'scim, in bulk': { config: { bulk: true, pageSize: 7 } },
  'scim, without discovery': { quirks: ['no discovery', 'no scimType'] },
};

for (const [kind, { quirks = [], config = {} }] of Object.entries(kinds))
  conformance(kind, () => bench(quirks, config));

async function bench(quirks: readonly Quirk[], config: object): Promise<Bench> {
  const { server, target, close } = await createBench(config);
  for (const quirk of quirks) server.behave(quirk);
  const user = (name: string) => server.users().find(({ userName }) => userName === name);
  const id = (name: string) => `User/${name}`;
  const attributes = (name: string, title = 'first') => ({
    externalId: [`n-${name}`],
    displayName: [name],
    'name.familyName': [name],
    active: ['TRUE'],
    [workMail]: ['a@example.org'],
    [employeeNumber]: [`n-${name}`],
    title: [title],
  });
  const create = (name: string, more: object = {}) =>
    ({
      operation: 'create',
      entity: 'person',
      remoteId: id(name),
      attributes: { ...attributes(name), ...more },
    }) as const;
  const during = (quirk: Quirk) => {
    server.behave(quirk);
    return async () => server.behave(quirk, false);
  };
  const made = async (name: string) => {
    const { stableId = '' } = await target.apply(create(name), AbortSignal.timeout(10_000));
    return { entity: 'person', remoteId: id(name), stableId };
  };
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'externalId',
    id,
    attributes,
    titles: async (name) => {
      const found = user(name);
      return found && (typeof found.title === 'string' ? [found.title] : []);
    },
    several: 'phoneNumbers',
    bytes: 'x509Certificates',
    values: async (name, attribute) => {
      const found = user(name);
      const texts = found && valuesOf(found[attribute]);
      return attribute === 'x509Certificates' ? texts?.map((base64) => ({ base64 })) : texts;
    },
    login: async (name, password) => user(name)?.password === password,
    references: {
      entity: 'group',
      attribute: 'members',
      by: 'stable id',
      id: (name) => `Group/${name}`,
      attributes: (name) => ({ externalId: [`g-${name}`] }),
      members: async (name) => {
        const group = server.groups().find(({ displayName }) => displayName === name);
        return group && valuesOf(group.members);
      },
    },
    secrets: [server.token],
    bring: {
      unavailable: async () => {
        server.limit(1000, 60);
        return { over: async () => server.limit(0, 0) };
      },
      misconfigured: async () => ({
        attempt: async (signal) => {
          const other = createScimTarget({ url: server.url, token: 'wrong' });
          await other.apply(create('stranger'), signal).finally(() => other.close());
        },
      }),
      'one-sided': async () => ({ over: during('read only') }),
      rejected: async () => ({ attempt: (signal) => target.apply(create('unsure', { active: ['perhaps'] }), signal) }),
      unknown: async () => {
        const entry = await made('needed');
        return { attempt: (signal) => target.apply({ operation: 'remove', ...entry }, signal), over: during('in use') };
      },
      converged: async () => {
        const other = createScimTarget(server, { ...config, features: { etag: true } });
        const entry = await made('changing');
        const change = { ...changePerson('changing', { phoneNumbers: ['1'] }), ...entry };
        const over = during('versions');
        const fresh = during('stale');
        return {
          attempt: (signal) => other.apply(change, signal),
          over: async () => {
            await Promise.all([...(quirks.includes('versions') ? [] : [over()]), fresh(), other.close()]);
          },
        };
      },
    },
    without: {
      dependency: 'what is wrong with a member a service says in words of its own',
      ...(quirks.includes('no PATCH')
        ? { hang: 'a resource that is put back is read first: what is not answered then was only a question' }
        : {}),
    },
    loseAnswer: async () => ({ over: during('lost answers') }),
    hang: async () => ({ over: during('hangs') }),
    close,
  };
}
