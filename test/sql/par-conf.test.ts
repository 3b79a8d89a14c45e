import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, type Site } from '../apply/site.ts';

/** The statement of ESSE3's document, to the letter. */
const statement = `SELECT par_cod, val_alfa, val_num, des

  FROM par_conf

 WHERE par_cod LIKE 'LDAP%' AND par_cod NOT LIKE 'LDAP_AUTH%';`;

const configuration = (more = '') => `
version: 1
database: { url: "\${DATABASE_URL}" }
entities: { person: { view: registry.v_person, key: id, sources: { registry.person: id } } }
targets:
  directory:
    type: ldap
    url: [ldaps://a.example.org, ldaps://b.example.org]
    bind: { dn: "cn=staffetta,dc=example", password: geheim }
    ${more}
    entities: { person: { dn: "uid={uid},ou=people,dc=example", removeAfter: 2m, attributes: { uid: { from: uid } } } }
`;

describe('par_conf', () => {
  let site: Site;
  let admin: pg.Client;
  beforeAll(async () => {
    site = await createSite(
      'create table registry.person (id bigint primary key, uid text); create view registry.v_person as select * from registry.person',
    );
    await site.query(await readFile(new URL('../../sql/100-roles.sql', import.meta.url), 'utf8'));
    await site.apply(configuration());
    const role = await site.database.createRole();
    await site.query(`grant staffetta_admin to ${role.name}`);
    await site.query(`alter role ${role.name} in database ${site.database.name} set search_path = staffetta`);
    admin = await site.connect(role.url);
  });
  afterAll(() => site.close());

  const parameters = async () => {
    const { rows } = await admin.query(statement);
    return new Map(rows.map(({ par_cod, val_alfa, val_num, des }) => [par_cod, [val_alfa ?? Number(val_num), des]]));
  };

  test("answers ESSE3's own statement with the tunables and with what the file says", async () => {
    const found = await parameters();
    expect(found.get('LDAP_POLL_SECONDS')).toEqual([
      2,
      'The longest a change waits when a notification was lost (from 0.1 to 60; default 2)',
    ]);
    expect(found.get('LDAP_JOURNAL_DAYS')).toEqual([
      90,
      'Days after which journal rows are dropped (1 or more; default 90)',
    ]);
    expect(found.get('LDAP_URL_DIRECTORY')).toEqual([
      'ldaps://a.example.org, ldaps://b.example.org',
      'Where directory is (staffetta.yml)',
    ]);
    expect(found.get('LDAP_BIND_DN_DIRECTORY')?.[0]).toBe('cn=staffetta,dc=example');
    expect(found.get('LDAP_DN_DIRECTORY_PERSON')?.[0]).toBe('uid={uid},ou=people,dc=example');
    expect(found.get('LDAP_REMOVE_AFTER_SECONDS_DIRECTORY_PERSON')?.[0]).toBe(120);
    expect(found.get('LDAP_MODE_DIRECTORY')?.[0]).toBe('live');
    expect(found.get('LDAP_VIEW_PERSON')?.[0]).toBe('registry.v_person');
    expect(JSON.stringify([...found])).not.toContain('geheim');
  });

  test('every tunable says what it is, what it may be, and what it is unless somebody sets it', async () => {
    const rows = await site.query(
      'select code from staffetta.parameter where standard is null or number is distinct from standard or minimum is null',
    );
    expect(rows).toEqual([]);
    expect([...(await parameters()).values()].filter(([, des]) => !des)).toEqual([]);
  });

  test('sets a tunable, within its range', async () => {
    await admin.query(`update par_conf set val_num = 5 where par_cod = 'LDAP_POLL_SECONDS'`);
    expect(await site.query(`select number, standard from staffetta.parameter where code = 'POLL_SECONDS'`)).toEqual([
      { number: '5', standard: '2' },
    ]);
    await expect(admin.query(`update par_conf set val_num = 0 where par_cod = 'LDAP_POLL_SECONDS'`)).rejects.toThrow(
      'POLL_SECONDS cannot be 0; expected a number from 0.1 to 60.',
    );
    await expect(
      admin.query(`update par_conf set val_alfa = 'soon', val_num = null where par_cod = 'LDAP_POLL_SECONDS'`),
    ).rejects.toThrow('POLL_SECONDS needs a number');
  });

  test('does not set what the file says', async () => {
    await expect(
      admin.query(`update par_conf set val_alfa = 'ldap://c' where par_cod = 'LDAP_URL_DIRECTORY'`),
    ).rejects.toThrow('LDAP_URL_DIRECTORY is what staffetta.yml says: change it there and run "staffetta apply".');
  });

  test('follows the file: what is no longer said is no longer there, and an apply of the same changes nothing', async () => {
    await site.apply(configuration('slots: 4'));
    expect((await parameters()).get('LDAP_SLOTS_DIRECTORY')?.[0]).toBe(4);
    const versions = () => site.query('select code, xmin from staffetta.setting order by 1');
    const before = await versions();
    await site.apply(configuration('slots: 4'));
    expect(await versions()).toEqual(before);
    await site.apply(configuration().replaceAll('directory:', 'dir:'));
    const codes = [...(await parameters()).keys()];
    expect(codes).toContain('LDAP_URL_DIR');
    expect(codes).not.toContain('LDAP_URL_DIRECTORY');
  });
});
