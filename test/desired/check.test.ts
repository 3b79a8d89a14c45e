import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatPath } from '../../src/config/problem.ts';
import { type Config, config as schema } from '../../src/config/schema.ts';
import { parseRelation } from '../../src/desired/catalog.ts';
import { checkMappings } from '../../src/desired/check.ts';
import { configure, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.query(`
    create collation registry.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table registry.person (id bigint, uid text, surname text, status text, emails text[], photo bytea, period daterange, password text,
      real_id real, loose_id text collate registry.loose, fraction numeric(10,2), any_number numeric, padded char(5), at timestamptz, team_ids int[]);
    create table registry.team (id int, name text, members bigint[], names text[]);
    create schema "Odd schema"; create table "Odd schema"."View.x" (id int, uid text)`);
});
afterAll(() => fixture.close());

const entities = { person: { view: 'registry.person', key: 'id' }, team: { view: 'registry.team', key: 'id' } };
const person = { dn: 'uid={uid}', attributes: { cn: '{surname}' } };

async function check(config: Config) {
  await fixture.query('begin');
  try {
    return await checkMappings(fixture.client, config);
  } finally {
    await fixture.query('rollback');
  }
}

/** Every problem as one line. */
async function problems(config: Config): Promise<string[]> {
  return (await check(config)).problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

const mapped = (mapping: Record<string, unknown>) =>
  problems(configure(entities, { person: { ...person, ...mapping } }));

test('a document of scripts has a list where a column has several values, and an id from a column', async () => {
  const script = (id: string, as: string) =>
    schema.parse({
      ...configure(entities, {}),
      targets: {
        programs: {
          type: 'script',
          entities: { person: { id, attributes: { mail: { from: 'emails', as }, enabled: { from: 'status' } } } },
        },
      },
    });
  expect(await problems(script('{id}', 'list'))).toEqual([]);
  const above = 'targets.programs.entities.person';
  expect(await problems(script('everybody', 'text'))).toEqual([
    `${above}.id: names no column, so that all would have the same name; expected one such as "{id}"`,
    `${above}.attributes.mail.from: column "emails" of registry.person is an array (text[]); expected \`as: list\` beside it, or a column with one value`,
  ]);
});

test('a mapping that fits the database has no problem', async () => {
  const config = configure(entities, {
    person: {
      ...person,
      only: `status <> 'guest' -- no guests`,
      match: { employeeNumber: 'id' },
      revisit: 'select id as key, at from registry.person',
      disable: { attributes: { employeeType: 'former' } },
      attributes: {
        ...person.attributes,
        mail: { from: 'emails' },
        photo: { from: 'photo' },
        member: { ref: 'team', from: 'team_ids' },
      },
    },
    team: { dn: 'cn={name}', attributes: { member: { ref: 'person', from: 'members' } } },
  });
  const { problems: found, keyTypes, views } = await check(config);
  expect(found).toEqual([]);
  expect([...views.keys()]).toEqual(['registry.person', 'registry.team']);
  expect(keyTypes.get('person')).toMatchObject({ sqlType: 'bigint', family: 'integer' });
  expect(keyTypes.get('team')?.canonical('x')).toBe('(x)::integer::text');
});

describe('a view', () => {
  test.each([
    ['registry.persn', 'there is no view registry.persn in this database; expected schema.name of a view or table'],
    [
      'Registry."Person"',
      'there is no view Registry."Person" in this database; expected schema.name of a view or table',
    ],
    ['person', 'found "person", expected schema.name of a view'],
    ['a.b.c', 'found "a.b.c", expected schema.name of a view'],
    ['registry.person; drop', 'found "registry.person; drop", expected schema.name of a view'],
  ])('%s is a problem', async (view, message) => {
    const config = configure({ person: { view, key: 'id' } }, { person });
    expect(await problems(config)).toEqual([`entities.person.view: ${message}`]);
    expect(await mapped({ view })).toEqual([`targets.directory.entities.person.view: ${message}`]);
  });

  test.each(['REGISTRY.Person', 'registry."person"'])('%s is found', async (view) => {
    expect(await problems(configure({ person: { view, key: 'id' } }, { person }))).toEqual([]);
  });

  test('with quoted names is found', async () => {
    const view = '"Odd schema"."View.x"';
    expect(await problems(configure({ person: { view, key: 'id' } }, { person: { dn: 'uid={uid}' } }))).toEqual([]);
    expect(parseRelation('"a""b".C')).toEqual({ schema: 'a"b', name: 'c' });
  });

  test('that may not be read is a problem', async () => {
    const role = await fixture.createRole();
    await fixture.query('begin');
    try {
      await fixture.query(`set local role ${role.name}`);
      const { problems: found } = await checkMappings(
        fixture.client,
        configure({ person: { view: 'registry.person', key: 'id' } }, { person }),
      );
      expect(found).toEqual([
        {
          path: ['entities', 'person', 'view'],
          message:
            'no right to read registry.person; grant SELECT on it, and USAGE on its schema, to the role that runs Staffetta',
        },
      ]);
    } finally {
      await fixture.query('rollback');
    }
  });
});

describe('a key', () => {
  const allowed = 'expected smallint, integer, bigint, numeric(n,0), uuid, text or varchar: cast it in the view';
  test.each([
    ['idd', 'view registry.person has no column "idd"; did you mean "id"? It has: id, uid,'],
    ['real_id', `column "real_id" of registry.person is of type real, which cannot be a key; ${allowed}`],
    ['padded', `column "padded" of registry.person is of type character, which cannot be a key; ${allowed}`],
    ['at', `column "at" of registry.person is of type timestamp with time zone, which cannot be a key; ${allowed}`],
    ['emails', `column "emails" of registry.person is of type text[], which cannot be a key; ${allowed}`],
    [
      'fraction',
      'column "fraction" of registry.person is of type numeric(10,2), which may have fractions; expected numeric(n,0)',
    ],
    [
      'any_number',
      'column "any_number" of registry.person is of type numeric, which may have fractions; expected numeric(n,0)',
    ],
    ['loose_id', 'column "loose_id" of registry.person has the nondeterministic collation registry.loose'],
  ])('%s is a problem', async (key, message) => {
    const [problem, ...more] = await problems(configure({ person: { view: 'registry.person', key } }, { person }));
    expect(problem).toContain(`entities.person.key: ${message}`);
    expect(more).toEqual([]);
  });

  test("must be in the mapping's own view, too, with a type of the same kind", async () => {
    await fixture.query('create view registry.v_nokey as select uid, surname from registry.person');
    await fixture.query('create view registry.v_textkey as select id::text, uid, surname from registry.person');
    expect(await mapped({ view: 'registry.v_nokey' })).toEqual([
      'targets.directory.entities.person.view: view registry.v_nokey has no column "id"; did you mean "uid"? It has: uid, surname (the key of entity person)',
    ]);
    expect(await mapped({ view: 'registry.v_textkey' })).toEqual([
      'targets.directory.entities.person.view: column "id" of registry.v_textkey is of type text, but the key of entity person is of type bigint',
    ]);
  });
});

describe('a column', () => {
  test.each([
    ['dn', { dn: 'uid={udi}' }, 'view registry.person has no column "udi"; did you mean "uid"? It has: id, uid,'],
    ['dn', { dn: 'uid=x' }, 'names no column, so that all would have the same name'],
    ['attributes.cn', { attributes: { cn: '{name?} {surname}' } }, 'view registry.person has no column "name"'],
    ['attributes.cn', { attributes: { cn: { template: '{nope}' } } }, 'view registry.person has no column "nope"'],
    ['attributes.cn', { attributes: { cn: '{emails}' } }, 'column "emails" of registry.person is an array (text[])'],
    [
      'attributes.cn',
      { attributes: { cn: '{photo}' } },
      'column "photo" of registry.person is of type bytea, which has no text',
    ],
    [
      'attributes.mail.from',
      { attributes: { mail: { from: 'email' } } },
      'view registry.person has no column "email"; did you mean "emails"?',
    ],
    [
      'attributes.x.from',
      { attributes: { x: { from: 'period' } } },
      'column "period" of registry.person is of type daterange, whose text depends on settings',
    ],
    [
      'match.mail',
      { match: { mail: 'emails' } },
      'column "emails" of registry.person is an array (text[]); an entry is recognised by one value',
    ],
    ['match.employeeNumber', { match: { employeeNumber: 'number' } }, 'view registry.person has no column "number"'],
    [
      'attributes.member.from',
      { attributes: { member: { ref: 'team', from: 'emails' } } },
      'column "emails" of registry.person is of type text[]; expected an array of keys of entity team, integer[]',
    ],
    [
      'attributes.member.from',
      { attributes: { member: { ref: 'team', from: 'id' } } },
      'column "id" of registry.person is of type bigint; expected an array of keys of entity team, integer[]',
    ],
    ['disable.dn', { disable: { dn: 'uid={udi}' } }, 'view registry.person has no column "udi"'],
    [
      'disable.attributes.title',
      { disable: { attributes: { title: '{titel}' } } },
      'view registry.person has no column "titel"',
    ],
    ['attributes.CN', { attributes: { cn: 'x', CN: 'y' } }, 'is the same attribute as cn; expected each once'],
  ])('%s: %j is a problem', async (place, mapping, message) => {
    const [problem, ...more] = await mapped(mapping);
    expect(problem).toContain(`targets.directory.entities.person.${place}: ${message}`);
    expect(more).toEqual([]);
  });

  test('whose type cannot be carried is a problem where every column is an attribute', async () => {
    expect(await problems(configure(entities, { person: { dn: 'uid={uid}' } }))).toEqual([
      'targets.directory.entities.person: column "period" of registry.person is of type daterange, whose text depends on settings; cast it to text in the view, in the form wanted',
    ]);
  });

  test('that is secret may not end up where it is kept in plain text', async () => {
    const secret = { userPassword: { from: 'password', secret: true } };
    const message =
      'column "password" of registry.person is secret (an attribute with `secret: true` uses it), and this is stored in plain text';
    const place = 'targets.directory.entities.person';
    expect(await mapped({ attributes: secret, dn: 'uid={uid}+x={password}' })).toEqual([`${place}.dn: ${message}`]);
    expect(await mapped({ attributes: secret, disable: { attributes: { x: '{password}' } } })).toEqual([
      `${place}.disable.attributes.x: ${message}`,
    ]);
    expect(await mapped({ attributes: secret, match: { x: 'password' } })).toEqual([`${place}.match.x: ${message}`]);
  });
});

describe('SQL that PostgreSQL refuses', () => {
  test.each([
    ['only', "statsu = 'x'", 'PostgreSQL refuses this condition on registry.person: column "statsu" does not exist'],
    [
      'only',
      'surname',
      'PostgreSQL refuses this condition on registry.person: argument of WHERE must be type boolean, not type text',
    ],
    ['only', "status = 'x' and", 'PostgreSQL refuses this condition on registry.person: syntax error at or near ")"'],
    [
      'revisit',
      'select id from registry.person',
      'PostgreSQL refuses this query, expected one with the columns key and at: column q.key does not exist',
    ],
    [
      'revisit',
      'select id as key, at from registry.nothing',
      'PostgreSQL refuses this query, expected one with the columns key and at: relation "registry.nothing" does not exist',
    ],
  ])('%s: %s is a problem', async (key, sql, message) => {
    const [problem, ...more] = await mapped({ [key]: sql });
    expect(problem).toContain(`targets.directory.entities.person.${key}: ${message}`);
    expect(more).toEqual([]);
  });

  test('is refused with what PostgreSQL suggests', async () => {
    expect(await mapped({ only: "statuss = 'x'" })).toEqual([
      expect.stringContaining(
        'column "statuss" does not exist (Perhaps you meant to reference the column "v.status".)',
      ),
    ]);
  });
});

test('every mistake is found, not the first only', async () => {
  const config = configure(
    { person: { view: 'registry.person', key: 'idd' }, team: { view: 'registry.teem', key: 'id' } },
    {
      person: { dn: 'uid={udi}', only: 'nope', attributes: { cn: '{x1}{x2}', mail: { from: 'x3' } } },
      team: { dn: 'cn={name}' },
    },
  );
  expect((await check(config)).problems.map(({ path }) => formatPath(path))).toEqual([
    'entities.person.key',
    'entities.team.view',
    'targets.directory.entities.person.dn',
    'targets.directory.entities.person.attributes.cn',
    'targets.directory.entities.person.attributes.cn',
    'targets.directory.entities.person.attributes.mail.from',
    'targets.directory.entities.person.only',
  ]);
});
