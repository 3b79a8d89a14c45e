import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExpectedEntry, readExpected } from '../../examples/university/expected.ts';
import { createUniversity, loadUniversity } from '../../examples/university/load.ts';
import { type Comparison, compareDirectory, describeMismatch } from '../../src/demo/compare.ts';
import { readDn } from '../../src/demo/dn-reader.ts';
import { universityDn, universityLdif } from '../examples/university-ldif.ts';
import { createDatabase, type Database } from '../setup/database.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';

let database: Database;
let directory: Directory;
let expected: ExpectedEntry[];

beforeAll(async () => {
  [database, directory] = await Promise.all([createDatabase(), createDirectory({ suffix: 'dc=compare,dc=test' })]);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await createUniversity(client);
  await loadUniversity(client, { people: 80, groups: 30 });
  expected = await readExpected(client);
  await client.end();
  await directory.add(universityLdif(expected, directory.suffix, 'cn=nobody'));
});

afterAll(async () => {
  await database.drop();
  await directory.close();
});

const compare = () => compareDirectory({ databaseUrl: database.url, ldap: directory });
const dn = (unit: 'people' | 'groups', name: string) =>
  universityDn({ unit, rdn: [unit === 'people' ? 'uid' : 'cn', name] }, directory.suffix);

/** The entry of that login or team name. */
function entry(name: string): ExpectedEntry {
  const found = expected.find(({ rdn }) => rdn[1] === name);
  if (found === undefined) throw new Error(`nobody is called ${name}`);
  return found;
}

const modify = (unit: 'people' | 'groups', name: string, change: string) =>
  directory.modify(`dn: ${dn(unit, name)}\nchangetype: modify\n${change}\n`);

test('a directory that holds what the views say has no mismatch', async () => {
  expect(await compare()).toEqual({ people: 80, groups: 30, refused: 0, mismatches: [] });
});

test('neither has one whose values stand in another order', async () => {
  const [uid = ''] = expected.find(({ attributes }) => (attributes.mail?.length ?? 0) > 1)?.attributes.uid ?? [];
  const mail = entry(uid).attributes.mail?.toReversed() ?? [];
  await modify('people', uid, `replace: mail\n${mail.map((value) => `mail: ${value}`).join('\n')}`);
  expect((await compare()).mismatches).toEqual([]);
});

describe('a directory that somebody spoilt', () => {
  let comparison: Comparison;
  const photographed = () => expected.find(({ attributes }) => attributes.jpegPhoto)?.attributes.uid?.[0] ?? '';
  const number = (login: string) => `person ${entry(login).attributes.employeeNumber?.[0]}`;
  const numbers = (team: string) => (entry(team).members ?? []).map((id) => `person ${id}`).sort();

  /** The mismatches of an entry: `name` is the value that names it, as it now stands. */
  const of = (unit: 'people' | 'groups', name: string) =>
    comparison.mismatches.filter((mismatch) => {
      if (mismatch.problem === 'missing') return mismatch.dn.endsWith(`=${name} in ou=${unit}`);
      const [rdn, parent] = readDn(mismatch.dn);
      return rdn?.[0]?.[1] === name && parent?.[0]?.[1] === unit;
    });

  /** Teams of the person whose entry is deleted, but for the one whose members are replaced. */
  const groupsOfWeiss = () =>
    expected.flatMap(({ rdn: [, team], members }) =>
      team !== '围棋社' && members?.some((id) => `person ${id}` === number('weiss')) ? team : [],
    );

  beforeAll(async () => {
    const planted = Buffer.from('planted').toString('base64');
    const teller = dn('people', 'teller');
    await directory.modify(`dn: ${dn('people', 'weiss')}\nchangetype: delete\n`);
    await directory.add(
      `dn: cn=extra\\, one,ou=groups,${directory.suffix}\nobjectClass: groupOfNames\nmember: cn=nobody\n`,
    );
    await modify('people', 'king,jr', 'replace: sn\nsn: King\\, Jr.');
    await modify('people', 'a+b', 'delete: givenName');
    await modify('people', '#hash', 'add: title\ntitle: Dr');
    await modify('people', '"rock"', 'replace: userPassword\nuserPassword: {SSHA}cGxhbnRlZCBzZWNyZXQ=');
    await modify('people', photographed(), `replace: jpegPhoto\njpegPhoto:: ${planted}`);
    await directory.modify(
      `dn: ${dn('people', 'angstrom')}\nchangetype: modrdn\nnewrdn: uid=Angstrom\ndeleteoldrdn: 1\n`,
    );
    await modify('groups', '围棋社', `replace: member\nmember: cn=who,dc=knows\nmember: ${teller}`);
    await modify('groups', 'Nobody', `add: member\nmember: ${teller}`);
    comparison = await compare();
  });

  test('lacks an entry', () => {
    expect(of('people', 'weiss')).toEqual([{ problem: 'missing', dn: 'uid=weiss in ou=people' }]);
  });

  test('has an entry too many', () => {
    expect(of('groups', 'extra, one')).toMatchObject([{ problem: 'unexpected' }]);
  });

  test('has another value', () => {
    expect(of('people', 'king,jr')).toMatchObject([
      { problem: 'different', attribute: 'sn', expected: ['King, Jr.'], found: ['King\\, Jr.'] },
    ]);
  });

  test('lacks an attribute', () => {
    expect(of('people', 'a+b')).toMatchObject([{ attribute: 'givenName', expected: ['Anne+Marie'], found: [] }]);
  });

  test('has an attribute too many', () => {
    expect(of('people', '#hash')).toMatchObject([{ attribute: 'title', expected: [], found: ['Dr'] }]);
  });

  test('has another password, which is not shown', () => {
    const masked = { attribute: 'userPassword', expected: ['********'], found: ['********'] };
    expect(of('people', '"rock"')).toMatchObject([masked]);
    expect(JSON.stringify(comparison)).not.toContain('SSHA');
  });

  test('has another photo, of which the beginning is shown', () => {
    const beginning = expect.stringMatching(/^base64:.{53}… \(\d+ characters\)$/);
    expect(of('people', photographed())).toMatchObject([
      { attribute: 'jpegPhoto', expected: [beginning], found: ['planted'] },
    ]);
  });

  test('has a name in other case', () => {
    expect(of('people', 'Angstrom')).toMatchObject([
      { attribute: 'uid', expected: ['angstrom'], found: ['Angstrom'] },
      { attribute: 'dn', expected: [expect.stringContaining('angstrom')] },
    ]);
  });

  test('has other members, named after who they are', () => {
    const found = ['cn=who,dc=knows', number('teller')];
    expect(of('groups', '围棋社')).toMatchObject([{ attribute: 'member', expected: numbers('围棋社'), found }]);
  });

  test('has a member in a group that should have none', () => {
    const found = ['cn=nobody', number('teller')];
    expect(of('groups', 'Nobody')).toMatchObject([{ attribute: 'member', expected: ['cn=nobody'], found }]);
  });

  test('has a member without an entry in each group of who is missing', () => {
    expect(groupsOfWeiss().length).toBeGreaterThan(0);
    for (const team of groupsOfWeiss()) {
      const found = numbers(team).map((who) => (who === number('weiss') ? dn('people', 'weiss') : who));
      expect(of('groups', team)).toMatchObject([{ attribute: 'member', found: found.sort() }]);
    }
  });

  test('is otherwise as it should be', () => {
    const people = ['weiss', 'king,jr', 'a+b', '#hash', '"rock"', photographed(), 'Angstrom'];
    const groups = ['extra, one', '围棋社', 'Nobody', ...groupsOfWeiss()];
    const planted = [...people.flatMap((name) => of('people', name)), ...groups.flatMap((name) => of('groups', name))];
    expect(comparison.mismatches).toHaveLength(planted.length);
    expect(new Set(comparison.mismatches)).toEqual(new Set(planted));
  });

  test('is told in lines', () => {
    expect(of('people', 'weiss').map(describeMismatch)).toEqual(['missing: uid=weiss in ou=people']);
    expect(of('people', '#hash').map(describeMismatch)).toEqual([
      expect.stringMatching(/^different: uid=.*hash,ou=people,.*: title is \["Dr"\], should be \[\]$/),
    ]);
  });
});
