import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/problem.ts';
import { createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create view registry.v_person as select * from registry.person;
    create function registry.told(entity text, key text, target text, state text, data jsonb) returns void language sql as '';
    create function registry.told(entity text) returns void language sql as '';
    create function registry."Told"(entity text, key text, target text, state text, data jsonb) returns void language sql as '';
    create function registry.other(entity text, key bigint) returns void language sql as '';
    create procedure registry.procedure(entity text, key text, target text, state text, data jsonb) language sql as '';
    create function registry.closed(entity text, key text, target text, state text, data jsonb) returns void language sql as '';
    revoke all on function registry.closed from public`);
});
afterAll(() => site.close());

const file = (writeBack: string) => `version: 1
database: { url: "\${DATABASE_URL}" }
entities: { person: { view: registry.v_person, key: id, sources: { registry.person: id } } }
targets:
  directory:
    type: ldap
    url: ldap://localhost
    entities:
      person:
        dn: "uid={uid},dc=x"
        ${writeBack}
`;

test.each([
  ['told', 'found "told", expected schema.name of a function'],
  [
    'registry.nobody',
    'there is no function registry.nobody in this database; expected a function registry.nobody(text, text, text, text, jsonb): entity, key, target, state, data',
  ],
  ['registry.other', 'registry.other takes (entity text, key bigint); expected a function registry.other('],
  ['registry.procedure', 'registry.procedure is no function; expected a function'],
  ['registry.closed', 'no right to call registry.closed; grant EXECUTE on it'],
])('a write-back to %s is a mistake with its place', async (name, message) => {
  const refused = await site.apply(file(`writeBack: ${name}`)).catch((error: unknown) => error);
  if (!(refused instanceof ConfigError)) throw new Error(`expected a ConfigError, found ${refused}`);
  expect(refused.message).toContain(`staffetta.yml:11:20: targets.directory.entities.person.writeBack: ${message}`);
});

test('the function is recorded with its route, and forgotten when it is no longer configured', async () => {
  const recorded = async () => (await site.query('select write_back from staffetta.route'))[0]?.write_back;
  await site.apply(file('writeBack: registry.told'));
  expect(await recorded()).toBe('registry.told');
  await site.apply(file(`writeBack: 'registry."Told"'`));
  expect(await recorded()).toBe('registry."Told"');
  const [{ complaint } = {}] = await site.query(
    `select staffetta.write_back(write_back, 'person', '1', 'directory', 'done', '{}') as complaint from staffetta.route`,
  );
  expect(complaint).toBeNull();
  await site.apply(file(''));
  expect(await recorded()).toBeNull();
});
