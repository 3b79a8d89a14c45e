import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExpectedEntry, readExpected } from '../../examples/university/expected.ts';
import { createUniversity, loadUniversity } from '../../examples/university/load.ts';
import { generatePeople } from '../../examples/university/people.ts';
import { createRandom } from '../../examples/university/random.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createDatabase, type Database } from '../setup/database.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { universityLdif } from './university-ldif.ts';

const people = [...generatePeople(createRandom(1), 2_000)];

test('the configuration is accepted, without a warning', () => {
  const { config, warnings } = loadConfig('examples/university/staffetta.yml', {
    DATABASE_URL: 'postgres://localhost/university',
    LDAP_URL: 'ldap://localhost',
    LDAP_BIND_DN: 'cn=admin,dc=example,dc=org',
    LDAP_PASSWORD: 'secret',
    LDAP_SUFFIX: 'dc=example,dc=org',
    CARDS: '/srv/cards',
    PHONEBOOK: '/srv/phonebook',
    SCIM_URL: 'https://helpdesk.example.org/scim/v2',
    SCIM_TOKEN: 'secret',
  });
  expect(warnings).toEqual([]);
  expect(config.targets.directory?.entities.person).toMatchObject({ dn: 'uid={uid},ou=people,dc=example,dc=org' });
});

describe('the registry', () => {
  let database: Database;
  let directory: Directory;
  let client: pg.Client;
  let expected: ExpectedEntry[];

  const person = async (id: number) =>
    (await client.query('select * from registry.v_person where id = $1', [id])).rows[0];
  /** Runs statements in a transaction that is rolled back at the end of `work`. */
  const undone = async (work: () => Promise<void>) => {
    await client.query('begin');
    try {
      await work();
    } finally {
      await client.query('rollback');
    }
  };
  const add = (values: string) =>
    client.query(`insert into registry.person (given_name, family_name, preferred_language, uid) values ${values}`);

  beforeAll(async () => {
    [database, directory] = await Promise.all([createDatabase(), createDirectory({ suffix: 'dc=university,dc=test' })]);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await createUniversity(client);
    await loadUniversity(client);
    expected = await readExpected(client);
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
    await directory.close();
  });

  test('holds who was generated', async () => {
    const { rows } = await client.query(
      'select count(*)::int as people, count(photo)::int as photos from registry.person',
    );
    expect(rows).toEqual([{ people: people.length, photos: people.filter(({ photo }) => photo !== null).length }]);
    const { rows: names } = await client.query('select given_name, family_name from registry.person order by id');
    expect(names).toEqual(people.map(({ given_name, family_name }) => ({ given_name, family_name })));
  });

  test('goes on numbering after the last of them', async () => {
    await undone(async () => {
      await add(`('Next', 'One', 'en', 'next.one')`);
      expect((await client.query(`select id from registry.person where uid = 'next.one'`)).rows).toEqual([
        { id: '2021' },
      ]);
    });
  });

  test('shows whom the administrator replicates', async () => {
    expect(expected.filter(({ unit }) => unit === 'people')).toHaveLength(2_000);
    expect(expected.filter(({ unit }) => unit === 'groups')).toHaveLength(60);
  });

  test.each([
    ['Maria', 'Rossi', 'it', 'Maria Rossi', 'Rossi'],
    ['伟', '欧阳', 'zh', '欧阳伟', '欧阳'],
    ['Wei', 'Wang', 'zh', 'Wang Wei', 'Wang'],
    ['さくら', '佐々木', 'ja', '佐々木さくら', '佐々木'],
    ['민준', '남궁', 'ko', '남궁민준', '남궁'],
    ['Văn Đức', 'Nguyễn', 'vi', 'Nguyễn Văn Đức', 'Nguyễn'],
    ['Árpád', 'Őrsi', 'hu', 'Őrsi Árpád', 'Őrsi'],
    ['Fatima', 'Al-Masri', null, 'Fatima Al-Masri', 'Al-Masri'],
    ['Suharto', null, 'id', 'Suharto', 'Suharto'],
    [null, 'Teller', null, 'Teller', 'Teller'],
  ])('writes %s %s (%s) as %s, sorted under %s', async (given, family, tag, display_name, sort_name) => {
    await undone(async () => {
      await client.query(
        'insert into registry.person (id, uid, given_name, family_name, preferred_language) values (9000, $1, $2, $3, $4)',
        ['some.one', given, family, tag],
      );
      expect(await person(9000)).toMatchObject({ display_name, sort_name });
    });
  });

  test('lists e-mail addresses in the order of the person, courses and departments once', async () => {
    await undone(async () => {
      await client.query(`
        insert into registry.person (id, uid, given_name, department_id) values (9000, 'some.one', 'Someone', 2);
        insert into registry.email (person_id, address, position) values (9000, 'a@x.org', 2), (9000, 'z@x.org', 1);
        insert into registry.career (person_id, course, department_id, status) values
          (9000, 'Law', 5, 'active'), (9000, 'Law', 2, 'active'), (9000, 'Old', 6, 'graduated')`);
      expect(await person(9000)).toMatchObject({
        emails: ['z@x.org', 'a@x.org'],
        courses: ['Law'],
        department: 'Matematica "Guido Castelnuovo"',
        department_codes: ['JUR', 'MAT'],
      });
    });
  });

  test('leaves out who has no login or is marked', async () => {
    await undone(async () => {
      await client.query(`update registry.person set uid = null where id = 1`);
      await client.query(`update registry.person set no_replication = true where id = 2`);
      expect([await person(1), await person(2)]).toEqual([undefined, undefined]);
      expect(await person(3)).toBeDefined();
    });
  });

  test('looks up a few people and teams by index', async () => {
    await client.query('analyze registry.person, registry.email, registry.career, registry.team, registry.member');
    for (const view of ['v_person', 'v_group']) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain select * from unnest(array[1, 2, 3]::bigint[]) k(key)
         left join lateral (select * from registry.${view} x where x.id = k.key offset 0) v on true`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index/);
      expect(plan).not.toMatch(/Seq Scan on (person|email|career|member)/);
    }
  });

  test('lets two people swap their logins, in one statement and in two', async () => {
    const uids = async () =>
      (await client.query<{ uid: string }>('select uid from registry.person where id in (1, 2) order by id')).rows.map(
        ({ uid }) => uid,
      );
    const before = await uids();
    await undone(async () => {
      await client.query(
        `update registry.person p set uid = q.uid from registry.person q where p.id + q.id = 3 and q.id in (1, 2)`,
      );
      expect(await uids()).toEqual(before.toReversed());
      await client.query('update registry.person set uid = $1 where id = 1', [before[0]]);
      await client.query('update registry.person set uid = $1 where id = 2', [before[1]]);
      await client.query('set constraints all immediate');
      expect(await uids()).toEqual(before);
    });
    await expect(client.query('update registry.person set uid = $1 where id = 1', [before[1]])).rejects.toThrow(
      'person_uid',
    );
  });

  test('is written by a role that may do nothing else', async () => {
    await undone(async () => {
      await client.query('set local role registrar_app');
      await add(`('New', 'Student', 'en', 'new.student')`);
      await client.query(`update registry.person set phone = '+39 06 1' where uid = 'new.student'`);
      await client.query(`delete from registry.person where uid = 'new.student'`);
      await expect(client.query('create table registry.mine ()')).rejects.toThrow('permission denied');
    });
  });

  test('refuses what no directory would take', async () => {
    await expect(add(`(null, null, 'en', 'nameless')`)).rejects.toThrow('person_has_a_name');
    await expect(add(`('Blank', ' ', 'en', 'blank')`)).rejects.toThrow('family_name');
    await expect(add(`('Blank', 'Login', 'en', ' ')`)).rejects.toThrow('uid');
    await expect(
      client.query(`insert into registry.email (person_id, address) values (1, 'bücher@example.edu')`),
    ).rejects.toThrow('email_address_check');
  });

  test('holds nothing that OpenLDAP refuses', async () => {
    await directory.add(universityLdif(expected, directory.suffix, 'cn=nobody'));
    const entries = await directory.entries('(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))', 'dn');
    expect(entries.size).toBe(2_060);
  });
});
