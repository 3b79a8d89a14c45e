/** Secrets of every kind of target: what is loaded, applied and stored shows none of them. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSite, type Site } from './site.ts';

const secret = 'hush-hush';
const entities = { person: { id: '{id}', attributes: { name: '{name}' } } };
const operations = { create: { path: '/x' }, update: { path: '/x/{id}' } };
const web = { url: `https://api.example.org/v2?key=${secret}`, headers: { 'x-key': secret } };
const flow = { type: 'file', folder: 'flow', name: '{sequence}', entities };

const configuration = {
  version: 1,
  database: { url: `\${DATABASE_URL}` },
  entities: { person: { view: 'registry.v_person', key: 'id', sources: { 'registry.person': 'id' } } },
  targets: {
    directory: {
      type: 'ldap',
      url: 'ldaps://ldap.example.org',
      bind: { dn: 'cn=us', password: secret },
      entities: { person: { dn: 'uid={id},dc=example' } },
    },
    service: {
      type: 'scim',
      ...web,
      auth: { type: 'bearer', token: secret },
      entities: { person: { ...entities.person, resource: 'User', attributes: { displayName: '{name}' } } },
    },
    basic: {
      type: 'http',
      ...web,
      auth: { type: 'basic', user: 'us', password: secret },
      proxy: `http://us:${secret}@proxy.example.org:3128`,
      entities: { person: { ...entities.person, operations } },
    },
    token: {
      type: 'http',
      ...web,
      auth: { type: 'oauth2', tokenUrl: `https://id.example.org?key=${secret}`, clientId: 'us', clientSecret: secret },
      entities: { person: { ...entities.person, operations } },
    },
    hook: {
      type: 'http',
      ...web,
      auth: { type: 'hmac', secret },
      entities: { person: { ...entities.person, operations } },
    },
    flow: { ...flow, format: 'csv', command: { run: ['send'], env: { KEY: secret } } },
    programs: { type: 'script', env: { KEY: secret }, entities },
    mine: { type: './mine.ts', secrets: { key: secret }, entities },
  },
};

let site: Site;
beforeAll(async () => {
  site = await createSite(
    'create table registry.person (id bigint primary key, name text); create view registry.v_person as select * from registry.person',
  );
});
afterAll(() => site.close());

test('what is said of secrets shows none of them, however it is printed', async () => {
  const { config } = await site.load(configuration);
  const { directory, service, basic, token, hook, mine } = config.targets;
  const said = [directory, service, basic, token, hook, mine].map((target) => {
    const { url, proxy, auth, ...rest } = { url: undefined, proxy: undefined, auth: undefined, ...target };
    return [rest, { ...(auth ?? {}), tokenUrl: undefined }];
  });
  expect(JSON.stringify(said)).not.toContain(secret);
  expect(inspect(said, { depth: null })).not.toContain(secret);
});

test('nothing that apply answers or stores has a secret in it', async () => {
  const applied = await site.apply(configuration);
  expect(JSON.stringify(applied)).not.toContain(secret);
  const tables = await site.query<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'staffetta'",
  );
  expect(tables.length).toBeGreaterThan(5);
  for (const { name } of tables) {
    const [row] = await site.query<{ text: string }>(
      `select coalesce(string_agg(t::text, ' '), '') as text from ${name} t`,
    );
    expect(`${name}: ${row?.text}`).not.toContain(secret);
  }
  const functions = await site.query<{ text: string }>(
    "select string_agg(prosrc, ' ') as text from pg_proc where pronamespace = 'staffetta'::regnamespace",
  );
  expect(functions[0]?.text).not.toContain(secret);
});
