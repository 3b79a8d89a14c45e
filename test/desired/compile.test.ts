import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeViews } from '../../src/desired/catalog.ts';
import { compileDesired, removeDesired } from '../../src/desired/compile.ts';
import { configure, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.query(`
    create table registry.person (id bigint primary key, uid text, given_name text, surname text, status text, emails text[],
      password_hash text, "Odd ""name'" text);
    insert into registry.person values
      (1, 'anna', 'Anna', 'Rossi', 'student', '{a@example.org,b@example.org}', '{SSHA}one', 'odd'),
      (2, 'b,c', null, 'Bé', 'staff', '{}', null, ''),
      (3, null, 'Nobody', 'Known', 'staff', null, '{SSHA}three', null),
      (4, 'guest', 'G', 'Uest', 'guest', '{g@example.org}', '{SSHA}four', null),
      (5, 'unknown', 'Un', 'Known', null, null, null, null);
    create view registry.v_person as select * from registry.person;
    create table registry.team (id int primary key, name text, members bigint[], owners int[]);
    insert into registry.team values (10, 'Blue', '{1,2,2,null}', '{3}'), (11, 'Empty', '{}', null);
    create view registry.v_team as select * from registry.team`);
});
afterAll(() => fixture.close());

const entities = { person: { view: 'registry.v_person', key: 'id' }, team: { view: 'registry.v_team', key: 'id' } };
const person = {
  dn: 'uid={uid},ou=people',
  attributes: {
    objectClass: { values: ['inetOrgPerson', '', 'inetOrgPerson'] },
    cn: '{given_name?} {surname}',
    mail: { from: 'emails' },
    description: { from: 'Odd "name\'' },
    title: 'Fixed',
    userPassword: { from: 'password_hash', secret: true },
  },
};
const team = {
  dn: 'cn={name},ou=groups',
  attributes: { cn: '{name}', member: { ref: 'person', from: 'members' }, owner: { ref: 'person', from: 'owners' } },
};

const desired = (columns = '*', where = 'true') =>
  fixture.query(`select ${columns} from staffetta.desired_directory_person where ${where} order by key`);

describe('the desired view of a mapping', () => {
  test('has remote id and attributes for each row of the view', async () => {
    await fixture.apply(configure(entities, { person }));
    expect(await desired('key, released, remote_id, attributes, disable', 'key < 4')).toEqual([
      {
        key: '1',
        released: false,
        remote_id: 'uid=anna,ou=people',
        attributes: {
          objectClass: ['inetOrgPerson'],
          cn: ['Anna Rossi'],
          mail: ['a@example.org', 'b@example.org'],
          description: ['odd'],
          title: ['Fixed'],
          userPassword: ['{SSHA}one'],
        },
        disable: null,
      },
      {
        key: '2',
        released: false,
        remote_id: 'uid=b\\2Cc,ou=people',
        attributes: { objectClass: ['inetOrgPerson'], cn: ['Bé'], title: ['Fixed'] },
        disable: null,
      },
      {
        key: '3',
        released: false,
        remote_id: null,
        attributes: {
          objectClass: ['inetOrgPerson'],
          cn: ['Nobody Known'],
          title: ['Fixed'],
          userPassword: ['{SSHA}three'],
        },
        disable: null,
      },
    ]);
  });

  test('releases whoever does not meet `only`, or of whom it is not known', async () => {
    await fixture.apply(configure(entities, { person: { ...person, only: "status <> 'guest' -- a comment" } }));
    expect(await desired('key, released, remote_id, attributes, disable, fingerprint', 'released')).toEqual(
      ['4', '5'].map((key) => ({
        key,
        released: true,
        remote_id: null,
        attributes: null,
        disable: null,
        fingerprint: null,
      })),
    );
    expect(await desired('key', 'not released')).toEqual([{ key: '1' }, { key: '2' }, { key: '3' }]);
  });

  test('without `attributes:` has every column under its own name', async () => {
    await fixture.apply(configure(entities, { person: { dn: 'uid={uid}' } }));
    expect(await desired('attributes', 'key = 1')).toEqual([
      {
        attributes: {
          id: ['1'],
          uid: ['anna'],
          given_name: ['Anna'],
          surname: ['Rossi'],
          status: ['student'],
          emails: ['a@example.org', 'b@example.org'],
          password_hash: ['{SSHA}one'],
          'Odd "name\'': ['odd'],
        },
      },
    ]);
  });

  test('takes more attributes than a function of PostgreSQL takes arguments', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`a${index}`, `{uid} ${index}`]));
    await fixture.apply(configure(entities, { person: { dn: 'uid={uid}', attributes } }));
    expect(await desired('attributes', 'key = 1')).toEqual([
      { attributes: Object.fromEntries(Object.keys(attributes).map((name, index) => [name, [`anna ${index}`]])) },
    ]);
  });

  test('says how an entry is disabled: an empty template clears the attribute', async () => {
    const disable = {
      attributes: { employeeType: 'former', userPassword: '', cn: '{given_name}' },
      dn: 'uid={uid},ou=former',
    };
    await fixture.apply(configure(entities, { person: { ...person, disable } }));
    expect(await desired('disable', 'key in (1, 2)')).toEqual([
      {
        disable: {
          remote_id: 'uid=anna,ou=former',
          attributes: { employeeType: ['former'], userPassword: [], cn: ['Anna'] },
        },
      },
      {
        disable: {
          remote_id: 'uid=b\\2Cc,ou=former',
          attributes: { employeeType: ['former'], userPassword: [], cn: [] },
        },
      },
    ]);
  });

  test('says by what an existing entry is recognised: nothing, if a value is missing', async () => {
    const match = { employeeNumber: 'id', description: 'Odd "name\'' };
    await fixture.apply(configure(entities, { person: { ...person, match } }));
    expect(await desired('match', 'key < 3')).toEqual([
      { match: { employeeNumber: '1', description: 'odd' } },
      { match: null },
    ]);
    await fixture.apply(configure(entities, { person }));
    expect(await desired('match', 'key = 1')).toEqual([{ match: null }]);
  });

  test("reads the mapping's own view where it has one", async () => {
    await fixture.query(`create view registry.v_other as select id::int, upper(uid) as login from registry.person`);
    await fixture.apply(configure(entities, { person: { view: 'registry."v_other"', dn: 'uid={login}' } }));
    expect(await desired('key, remote_id', 'key = 1')).toEqual([{ key: 1, remote_id: 'uid=ANNA' }]);
  });

  test('keeps members apart, as canonical keys, each once', async () => {
    await fixture.apply(configure(entities, { person, team }));
    const refs = 'select * from staffetta.desired_directory_team_refs order by key, attribute, ref_key';
    expect(await fixture.query(refs)).toEqual([
      { key: 10, attribute: 'member', ref_key: '1' },
      { key: 10, attribute: 'member', ref_key: '2' },
      { key: 10, attribute: 'owner', ref_key: '3' },
    ]);
    expect(await fixture.query(`select attributes from staffetta.desired_directory_team where key = 10`)).toEqual([
      { attributes: { cn: ['Blue'] } },
    ]);
    await fixture.apply(configure(entities, { person, team: { ...team, only: `name <> 'Blue'` } }));
    expect(await fixture.query(refs)).toEqual([]);
  });

  test('leaves out a row without a key', async () => {
    await fixture.query(
      'create view registry.v_keyless as select nullif(id, 1) as id, uid, array[1, 2] as friends from registry.person',
    );
    const attributes = { seeAlso: { ref: 'person', from: 'friends' } };
    await fixture.apply(
      configure({ person: { view: 'registry.v_keyless', key: 'id' } }, { person: { dn: 'uid={uid}', attributes } }),
    );
    expect((await desired('key')).map(({ key }) => key)).toEqual(['2', '3', '4', '5']);
    expect(await fixture.value('select count(*)::int from staffetta.desired_directory_person_refs')).toBe(8);
  });

  test('is made again with other columns, and removed, in transactions', async () => {
    await fixture.apply(configure(entities, { person, team }));
    await fixture.apply(configure(entities, { person, team: { dn: 'cn={name}', attributes: {} } }));
    expect(await fixture.value(`select to_regclass('staffetta.desired_directory_team_refs')`)).toBeNull();
    expect(await fixture.value('select attributes from staffetta.desired_directory_team where key = 10')).toEqual({});
    for (const statement of removeDesired('desired_directory_team')) await fixture.query(statement);
    expect(
      await fixture.query(
        `select from pg_proc where pronamespace = 'staffetta'::regnamespace and proname like 'desired_directory_team%'`,
      ),
    ).toEqual([]);
  });

  test('is compiled to the same statements every time', async () => {
    const config = configure(entities, { person, team });
    const compile = async () => compileDesired(config, await describeViews(fixture.client, config));
    expect(await compile()).toEqual(await compile());
  });
});

describe("the administrator's view", () => {
  test('may be dropped and made again; while it is missing there is an error, never an empty result', async () => {
    await fixture.apply(configure(entities, { person }));
    await fixture.query('alter view registry.v_person rename to v_away');
    await expect(desired()).rejects.toThrow('relation "registry.v_person" does not exist');
    await fixture.query('drop view registry.v_away');
    await fixture.query(`create view registry.v_person as select * from registry.person where id = 2`);
    expect(await desired('key')).toEqual([{ key: '2' }]);
    await fixture.query(`create or replace view registry.v_person as select * from registry.person`);
    expect(await desired('key')).toHaveLength(5);
  });

  test('that has lost a column is an error', async () => {
    await fixture.query('create view registry.v_short as select id, uid, surname from registry.person');
    await fixture.apply(
      configure({ person: { view: 'registry.v_short', key: 'id' } }, { person: { dn: 'uid={uid}' } }),
    );
    await fixture.query(
      'drop view registry.v_short; create view registry.v_short as select id, uid from registry.person',
    );
    await expect(desired()).rejects.toMatchObject({ code: '42703' });
  });

  test.each(['int', 'text'])('whose key has become %s is an error: its index would be lost', async (type) => {
    await fixture.query(`create or replace view registry.v_key as select id, uid from registry.person`);
    await fixture.apply(configure({ person: { view: 'registry.v_key', key: 'id' } }, { person: { dn: 'uid={uid}' } }));
    await fixture.query(
      `drop view registry.v_key; create view registry.v_key as select id::${type}, uid from registry.person`,
    );
    await expect(desired()).rejects.toMatchObject({ code: expect.stringMatching(/^42/) });
    await fixture.query('drop view registry.v_key');
  });
});

describe('the fingerprint', () => {
  const fingerprints = async () =>
    new Map((await desired('key, fingerprint')).map((row) => [row.key, row.fingerprint]));
  /** Keys whose fingerprint is another after the change, which is taken back. */
  async function changedBy(change: () => Promise<unknown>): Promise<unknown[]> {
    const before = await fingerprints();
    await change();
    const after = await fingerprints();
    return [...before.keys()].filter((key) => before.get(key) !== after.get(key));
  }

  test('is the same as long as nothing that is written changes', async () => {
    await fixture.apply(configure(entities, { person }));
    expect([...(await fingerprints()).values()]).toEqual(Array(5).fill(expect.stringMatching(/^[0-9a-f]{64}$/)));
    expect(await changedBy(() => fixture.query(`update registry.person set status = 'x' where id = 1`))).toEqual([]);
    await fixture.query(`update registry.person set status = 'student' where id = 1`);
    const reordered = { ...person, attributes: Object.fromEntries(Object.entries(person.attributes).reverse()) };
    expect(await changedBy(() => fixture.apply(configure(entities, { person: reordered })))).toEqual([]);
  });

  test('is that of the attributes’ text, which is what PostgreSQL writes for jsonb, whatever their names, and however many or few there are', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [`a${index}`, index % 3 ? '{uid}' : { from: 'emails', secret: true }]),
    );
    const odd = { Bé: '{uid}', zz: '{uid}', a: '{uid}', 'Odd "name\\': { values: ['\u001f"', 'b'] }, '': '{surname}' };
    const absent = { mail: { from: 'emails' }, userPassword: { from: 'password_hash', secret: true } };
    for (const attributes of [many, odd, absent]) {
      await fixture.apply(configure(entities, { person: { ...person, attributes, only: 'id <> 4' } }));
      const merged = `open::jsonb || coalesce(secrets, '{}')::jsonb`;
      const rewritten = ['open', 'secrets', 'hashes'].map((text) => `${text}::jsonb::text`).join(', ');
      expect(
        await desired(
          'key',
          `attributes is distinct from ${merged} or (open, secrets, hashes) is distinct from (${rewritten})
           or fingerprint is distinct from case when not released then staffetta.fingerprint(remote_id, open, hashes, disable) end`,
        ),
      ).toEqual([]);
    }
  });

  test.each([
    ['uid', `'other'`],
    ['surname', `'other'`],
    ['emails', `'{b@example.org,c@example.org}'`],
    ['emails', 'null'],
    ['password_hash', `'{SSHA}other'`],
    ['password_hash', 'null'],
  ])('changes with %s = %s', async (column, value) => {
    await fixture.apply(configure(entities, { person }));
    await fixture.query('begin');
    try {
      expect(
        await changedBy(() => fixture.query(`update registry.person set ${column} = ${value} where id = 1`)),
      ).toEqual(['1']);
    } finally {
      await fixture.query('rollback');
    }
  });

  test('changes with the secret flag, for those who have the secret', async () => {
    await fixture.apply(configure(entities, { person }));
    const open = { ...person, attributes: { ...person.attributes, userPassword: { from: 'password_hash' } } };
    expect(await changedBy(() => fixture.apply(configure(entities, { person: open })))).toEqual(['1', '3', '4']);
  });

  test('changes with what disables an entry, and with who meets `only`', async () => {
    const disabling = (employeeType: string) => ({ ...person, disable: { attributes: { employeeType } } });
    await fixture.apply(configure(entities, { person: disabling('former {given_name}') }));
    expect(
      await changedBy(() => fixture.apply(configure(entities, { person: disabling('gone {given_name}') }))),
    ).toEqual(['1', '3', '4', '5']);
    const only = { ...disabling('gone {given_name}'), only: 'id <> 4' };
    expect(await changedBy(() => fixture.apply(configure(entities, { person: only })))).toEqual(['4']);
  });

  test('of a secret is keyed: sha256(k || sha256(k || value)), which the links keep, too', async () => {
    const hashes = async (key: Buffer) => {
      const hash = (...parts: (Buffer | string)[]) => {
        const sum = createHash('sha256');
        for (const part of parts) sum.update(part);
        return sum.digest();
      };
      const keyed = (value: Buffer | string) => ({ hash: hash(key, hash(key, value)).toString('hex') });
      const secrets = {
        pin: [keyed('7')],
        mails: [keyed('a'), keyed('b')],
        key: [keyed(Buffer.from([0, 255]))],
        pw: [keyed('{x}é')],
      };
      const text = await fixture.value('select $1::jsonb::text', [JSON.stringify(secrets)]);
      return hash(`uid=anna\u0001{"cn": ["Anna"]}\u0001${text}\u0001`).toString('hex');
    };
    await fixture.query(`create table registry.secretive (id int, uid text, cn text, pin int, mails text[], key bytea, pw text);
      insert into registry.secretive values (1, 'anna', 'Anna', 7, '{a,b}', '\\x00ff', 'é')`);
    const attributes = {
      cn: '{cn}',
      pin: { from: 'pin', secret: true },
      mails: { from: 'mails', secret: true },
      key: { from: 'key', secret: true },
      pw: { template: '{{x}}{pw}', secret: true },
    };
    await fixture.apply(
      configure({ person: { view: 'registry.secretive', key: 'id' } }, { person: { dn: 'uid={uid}', attributes } }),
    );
    const key = await fixture.value('select secret from staffetta.installation');
    if (!Buffer.isBuffer(key)) throw new Error('the installation has no secret');
    expect((await fingerprints()).get(1)).toBe(await hashes(key));
    await fixture.query(`update registry.secretive set pin = null, mails = '{}', key = '', pw = null`);
    expect(await desired('attributes')).toEqual([{ attributes: { cn: ['Anna'] } }]);
  });

  test('is not computed where it is not asked for', async () => {
    await fixture.apply(configure(entities, { person }));
    const plan = async (columns: string) =>
      JSON.stringify(
        await fixture.query(`explain (verbose) select ${columns} from staffetta.desired_directory_person`),
      );
    expect(await plan('key, remote_id, attributes')).not.toContain('sha256');
    expect(await plan('key, fingerprint')).toContain('sha256');
    expect(await plan('key')).not.toContain('jsonb_build_object');
  });
});

test('nobody but its owner may read it or call what it is made of', async () => {
  await fixture.apply(configure(entities, { person, team }));
  const { name } = await fixture.createRole();
  await fixture.query(`grant usage on schema staffetta to ${name}`);
  const allowed = `
    select relname::text as name from pg_class where relnamespace = 'staffetta'::regnamespace and relname like 'desired\\_%'
      and has_table_privilege($1, oid, 'select')
    union all
    select proname::text from pg_proc where pronamespace = 'staffetta'::regnamespace and proname like 'desired%'
      and has_function_privilege($1, oid, 'execute')`;
  expect(await fixture.query(allowed, [name])).toEqual([]);
  expect(await fixture.query(allowed, ['postgres'])).not.toEqual([]);
});
