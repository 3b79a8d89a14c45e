/** What of the configuration does not fit the database: every mistake at once, each with its place. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/problem.ts';
import { createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text, born date, at timestamptz);
    create table registry.closed (id bigint);
    create table registry.career (person_id bigint, department_id text);
    create view registry.v_person as select id, uid from registry.person;
    create view registry.v_born as select born from registry.person`);
  await site.query(`revoke all on registry.closed from ${site.owner.name}`);
  await site.query('create schema hidden; create table hidden.person (id bigint)');
});
afterAll(() => site.close());

interface Wrong {
  view?: string;
  key?: string;
  sources?: string;
  mapping?: string;
}

/** A right configuration, with something else in places. Line 5 is the entity, 6 its sources, 11 and 12 the mapping. */
const file = ({
  view = 'registry.v_person',
  key = 'id',
  sources = 'registry.person: id',
  mapping = 'dn: "uid={uid},dc=x"',
}: Wrong) => `version: 1
database: { url: "\${DATABASE_URL}" }
entities:
  person:
    view: ${view}
    key: ${key}
    sources:
      ${sources}
targets:
  directory:
    type: ldap
    url: ldap://localhost
    entities:
      person:
        ${mapping}
`;

async function mistakes(wrong: Wrong): Promise<string[]> {
  const refused = await site.apply(file(wrong)).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refused instanceof ConfigError)) throw new Error(`expected a ConfigError, found ${refused}`);
  return refused.message.split('\n').map((line) => line.replace(/^.*(?=staffetta\.yml:)/, ''));
}

test.each<[string, Wrong, string]>([
  [
    'no such view',
    { view: 'registry.v_persn' },
    '5:11: entities.person.view: there is no view registry.v_persn in this database; expected schema.name of a view or table',
  ],
  [
    'no such key',
    { key: 'number' },
    '6:10: entities.person.key: view registry.v_person has no column "number"; It has: id, uid',
  ],
  [
    'a key of a type that cannot be one',
    { view: 'registry.v_born', key: 'born', mapping: 'dn: "cn={born}"' },
    '6:10: entities.person.key: column "born" of registry.v_born is of type date, which cannot be a key; expected smallint, integer, bigint, numeric(n,0), uuid, text or varchar: cast it in the view',
  ],
  [
    'no such table',
    { sources: 'registry.persn: id' },
    '8:23: entities.person.sources["registry.persn"]: there is no table registry.persn; expected schema.table of a table in this database',
  ],
  [
    'a table without its schema',
    { sources: 'person: id' },
    '8:15: entities.person.sources.person: found "person", expected schema.table',
  ],
  [
    'a table name that is none',
    { sources: '"registry.person; drop": id' },
    '8:32: entities.person.sources["registry.person; drop"]: found "registry.person; drop", expected schema.table',
  ],
  [
    'a view in the place of a table',
    { sources: 'registry.v_person: id' },
    '8:26: entities.person.sources["registry.v_person"]: registry.v_person is not a table; only tables can be captured',
  ],
  [
    'no such column in a key expression',
    { sources: 'registry.person: number' },
    '8:24: entities.person.sources["registry.person"]: key expression "number": column "number" does not exist',
  ],
  [
    'a key expression that is no SQL',
    { sources: 'registry.person: "id +"' },
    '8:24: entities.person.sources["registry.person"]: key expression "id +": syntax error at or near ")"',
  ],
  [
    'a key expression that reads no column',
    { sources: 'registry.person: "42"' },
    '8:24: entities.person.sources["registry.person"]: key expression "42" reads no column of registry.person',
  ],
  [
    'a key expression of another type',
    { sources: 'registry.person: at' },
    '8:24: entities.person.sources["registry.person"]: gives timestamp with time zone, which is not the key of entity person: cannot cast type timestamp with time zone to bigint',
  ],
  [
    'no such column in `columns:`',
    { sources: 'registry.person: { key: id, columns: [uid, name] }' },
    '8:50: entities.person.sources["registry.person"].columns[1]: table registry.person has no column "name"; it has id, uid, born, at',
  ],
  [
    'a resolve query that is no SQL',
    { sources: 'registry.person: { key: id, resolve: "select" }' },
    '8:44: entities.person.sources["registry.person"].resolve: expected a query with one column, the key; found 0',
  ],
  [
    'a resolve query of a table that is not there',
    { sources: 'registry.person: { key: id, resolve: "select id from registry.nowhere where id = any($1)" }' },
    '8:44: entities.person.sources["registry.person"].resolve: relation "registry.nowhere" does not exist',
  ],
  [
    'a resolve query of several columns',
    { sources: 'registry.person: { key: id, resolve: "select id, uid from registry.person where id = any($1)" }' },
    '8:44: entities.person.sources["registry.person"].resolve: expected a query with one column, the key; found 2',
  ],
  [
    'a resolve query for keys of another type',
    { sources: 'registry.person: { key: id, resolve: "select at from registry.person where id = any($1)" }' },
    '8:24: entities.person.sources["registry.person"]: gives timestamp with time zone, which is not the key of entity person: cannot cast type timestamp with time zone to bigint',
  ],
  [
    'a table twice',
    { sources: '{ registry.person: id, registry."person": id }' },
    '8:49: entities.person.sources["registry.\\"person\\""]: is the same table as registry.person; expected each once',
  ],
  [
    'a template of no such column',
    { mapping: 'dn: "uid={login},dc=x"' },
    '15:13: targets.directory.entities.person.dn: view registry.v_person has no column "login"; It has: id, uid',
  ],
  [
    'a name that is the same for all',
    { mapping: 'dn: "uid=all,dc=x"' },
    '15:13: targets.directory.entities.person.dn: names no column, so that all would have the same name; expected one such as "uid={uid},ou=people,dc=example,dc=org"',
  ],
])('%s', async (_, wrong, message) => {
  expect(await mistakes(wrong)).toEqual([`staffetta.yml:${message}`]);
});

describe('what Staffetta may not do is told with the grant that is missing', () => {
  test('attach a trigger', async () => {
    expect(await mistakes({ sources: 'registry.closed: id' })).toEqual([
      `staffetta.yml:8:24: entities.person.sources["registry.closed"]: no right to attach triggers to registry.closed; run: grant trigger on registry.closed to ${site.owner.name}`,
    ]);
  });

  test('use a schema', async () => {
    expect(await mistakes({ sources: 'hidden.person: id' })).toEqual([
      `staffetta.yml:8:22: entities.person.sources["hidden.person"]: no right to use the schema of hidden.person; run: grant usage on schema hidden to ${site.owner.name}`,
    ]);
  });

  test('read a view, or what a resolve query reads', async () => {
    expect(await mistakes({ view: 'registry.closed', key: 'id', mapping: 'dn: "cn={id}"' })).toEqual([
      'staffetta.yml:5:11: entities.person.view: no right to read registry.closed; grant SELECT on it, and USAGE on its schema, to the role that runs Staffetta',
    ]);
    expect(
      await mistakes({
        sources: 'registry.person: { key: id, resolve: "select id from registry.closed where id = any($1)" }',
      }),
    ).toEqual([
      'staffetta.yml:8:44: entities.person.sources["registry.person"].resolve: permission denied for table closed',
    ]);
  });
});

test('all are told at once, in the order of the file, and nothing has been changed', async () => {
  expect(
    await mistakes({
      key: 'number',
      sources: '{ registry.persn: id, registry.career: nobody, registry.closed: id }',
      mapping: 'dn: "uid={login},dc=x"\n        only: "rank > 3"',
    }),
  ).toEqual([
    expect.stringMatching(/^staffetta.yml:6:10: .* has no column "number"/),
    expect.stringMatching(/^staffetta.yml:8:\d+: .* there is no table registry.persn/),
    expect.stringMatching(/^staffetta.yml:8:\d+: .* column "nobody" does not exist/),
    expect.stringMatching(/^staffetta.yml:8:\d+: .* no right to attach triggers/),
    expect.stringMatching(/^staffetta.yml:15:13: .* has no column "login"/),
    expect.stringMatching(/^staffetta.yml:16:15: .* PostgreSQL refuses this condition/),
  ]);
  expect(await site.query(`select * from pg_namespace where nspname in ('staffetta', 'graphile_worker')`)).toEqual([]);
  expect(await site.query(`select * from pg_trigger where tgname like 'staffetta%'`)).toEqual([]);
});

test('a column that PostgreSQL computes when it is read cannot be captured, since triggers do not see it', async () => {
  const [server] = await site.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  if ((server?.version ?? 0) < 180_000) return; // there are none
  await site.make('create table registry.computed (id bigint, twice bigint generated always as (id * 2) virtual)');
  expect(await mistakes({ sources: 'registry.computed: twice' })).toEqual([
    'staffetta.yml:8:26: entities.person.sources["registry.computed"]: key expression "twice" reads "twice", a virtual generated column, which triggers cannot see; write what it is generated from',
  ]);
});
