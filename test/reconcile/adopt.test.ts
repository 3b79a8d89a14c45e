import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/reconcile/pairing.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { adoptAll, bringUpToDate, compare, drift } from './comparing.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.configure([`        dn: "uid={uid}`, `        match: { employeeNumber: id }\n        dn: "uid={uid}`]);
  await registry.apply();
});
afterAll(() => registry.close());
beforeEach(async () => {
  await registry.query(`truncate registry.person, registry.email, registry.team, registry.member`);
  await registry.query(
    `truncate staffetta.event, staffetta.delivery, staffetta.link, staffetta.remote_id, staffetta.reference`,
  );
  for (const dn of (
    await registry.directory.entries('(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))')
  ).keys())
    await registry.directory.modify(`dn: ${dn}\nchangetype: delete\n`);
});

const people = (count: number) =>
  registry.query(
    `insert into registry.person (id, uid, given, surname) select n, 'user' || n, 'Ada', 'Rossi' || n from generate_series(1, $1) n`,
    [count],
  );

/** An entry as somebody else would have written it: other case and spaces in its name and values. */
const entry = (id: number, { uid = `User${id}`, number = String(id), more = '' } = {}) =>
  `dn: UID=${uid} , OU=People,${registry.directory.suffix.toUpperCase()}\nobjectClass: inetOrgPerson\nobjectClass: pkiUser\nuid: ${uid}\ncn: ADA  ROSSI${id}\nsn: ROSSI${id}\ngivenName: ADA\nemployeeNumber: ${number}\n${more}\n`;

const add = (...entries: string[]) => registry.directory.add(entries.join('\n'));
const links = () =>
  registry.query<{ key: string; remote_id: string }>('select key, remote_id from staffetta.link order by key');
const counts = (adopted: { counts: ReadonlyMap<string, number> }) => Object.fromEntries(adopted.counts);

describe('a directory with other case and spaces', () => {
  test('is adopted entry by entry, and what is right already is not written', async () => {
    await people(3);
    await add(entry(1), entry(2, { more: 'roomNumber: 7\n' }), entry(3, { uid: 'lovelace' }));
    const before = await Promise.all([1, 2, 3].map((id) => registry.person(id)));

    expect(counts(await adoptAll(registry, 'person'))).toEqual({ matched: 3 });
    expect(await links()).toEqual([]);

    expect(await adoptAll(registry, 'person', { write: true })).toMatchObject({ adopted: 3, error: null });
    const untouched = await Promise.all([1, 2, 3].map((id) => registry.person(id)));
    expect(untouched).toEqual(before);
    expect((await links()).map(({ key }) => key)).toEqual(['1', '2', '3']);

    await bringUpToDate(registry);
    const [first, second, third] = await Promise.all([1, 2, 3].map((id) => registry.person(id)));
    expect(first).toEqual(before[0]);
    expect(second).toEqual({
      ...before[1],
      roomNumber: undefined,
      entryCSN: second?.entryCSN,
      modifyTimestamp: second?.modifyTimestamp,
    });
    expect(third?.entryUUID).toEqual(before[2]?.entryUUID);
    expect(third?.objectClass).toContain('pkiUser');
    expect(String(third?.dn).toLowerCase()).toBe(`uid=user3,ou=people,${registry.directory.suffix}`);
    await compare(registry, 'person');
    expect(await drift(registry)).toEqual([]);
  });

  test('is adopted by remote ids where the mapping matches nothing, groups with their members', async () => {
    const { suffix } = registry.directory;
    await people(1);
    await registry.query(
      `insert into registry.team values (1, 'engineers'); insert into registry.member values (1, 1)`,
    );
    await add(entry(1));
    await registry.directory.add(
      `dn: CN=Engineers,OU=Groups,${suffix.toUpperCase()}\nobjectClass: groupOfNames\ncn: Engineers\nbusinessCategory: 1\nmember: UID=USER1,OU=People,${suffix.toUpperCase()}\n`,
    );
    const before = await registry.team(1);
    for (const entity of ['team', 'person'])
      expect(await adoptAll(registry, entity, { write: true })).toMatchObject({ adopted: 1 });
    await bringUpToDate(registry);
    expect((await links()).map(({ key }) => key)).toEqual(['1', '1']);
    expect(await registry.team(1)).toEqual(before);
    expect(await registry.query('select applied is not null as told from staffetta.reference')).toEqual([
      { told: true },
    ]);
  });
});

test('what is ambiguous or has no counterpart is told, and nothing of it is linked', async () => {
  await people(4);
  await add(
    entry(1),
    entry(2),
    entry(12, { number: '2' }), // two entries for one key
    entry(3, { number: '99' }), // under the name of 3, but matching nobody
    entry(5, { number: '50' }),
  );
  const findings: Finding[] = [];
  const adopted = await adoptAll(registry, 'person', {
    write: true,
    list: async (all) => {
      for await (const finding of all) findings.push(finding);
    },
  });
  expect(adopted).toMatchObject({ seen: 5, linked: 0, adopted: 1 });
  expect(counts(adopted)).toEqual({ matched: 1, ambiguous: 2, 'unmatched identity': 2, 'unmatched entry': 2 });
  expect(
    findings.map(({ verdict, key, entry: at, note }) => [verdict, key, at?.split(',')[0]?.toLowerCase() ?? null, note]),
  ).toEqual([
    ['ambiguous', '2', 'uid=user12', null],
    ['ambiguous', '2', 'uid=user2', null],
    ['matched', '1', 'uid=user1', null],
    ['unmatched entry', null, 'uid=user3', null],
    ['unmatched entry', null, 'uid=user5', null],
    ['unmatched identity', '3', null, 'an entry stands under its remote id, but does not match'],
    ['unmatched identity', '4', null, null],
  ]);
  expect((await links()).map(({ key }) => key)).toEqual(['1']);
});

test('an entry that is linked already is nobody else’s', async () => {
  await people(2);
  await add(entry(1));
  await adoptAll(registry, 'person', { write: true });
  await registry.query('update registry.person set id = 7 where id = 2');
  await registry.directory.modify(
    `dn: ${String((await registry.person(1))?.dn)}\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: 7\n`,
  );
  const adopted = await adoptAll(registry, 'person', { write: true });
  expect(adopted).toMatchObject({ linked: 1, adopted: 0 });
  expect(adopted.samples).toEqual([
    expect.objectContaining({
      key: '7',
      verdict: 'unmatched identity',
      note: expect.stringMatching(/belongs to person 1$/),
    }),
  ]);
});

test('a remote id that was reserved for somebody else meanwhile is left to them', async () => {
  await people(1);
  await add(entry(1));
  const adopted = await adoptAll(registry, 'person', {
    write: true,
    progress: () =>
      void registry.query(`insert into staffetta.remote_id values ('directory', $1, 'person', '9')`, [
        `uid=user1,ou=people,${registry.directory.suffix}`,
      ]),
  });
  expect(adopted).toMatchObject({ adopted: 0 });
});

test('thousands of entries are adopted at once, and one row that fails is told alone', async () => {
  await people(2000);
  await registry.query(`update registry.person set uid = null where id = 1234`);
  await add(...Array.from({ length: 2000 }, (_, index) => entry(index + 1)));
  const adopted = await adoptAll(registry, 'person', { write: true });
  expect(counts(adopted)).toEqual({ matched: 1999, unreadable: 1, 'unmatched entry': 1 });
  expect(adopted.adopted).toBe(1999);
  const owed = await registry.query(
    `select count(*)::int as owed from staffetta.delivery where unsure and priority = 1 and last_cause = 'adopt'`,
  );
  expect(owed).toEqual([{ owed: 1999 }]);
});
