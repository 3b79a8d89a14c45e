import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type College, createCollege } from './college.ts';
import { createDesk, type Desk } from './desk.ts';
import { perform } from './page.ts';

const file = join(import.meta.dirname, '../../docs/administration.md');
const chapters = readFileSync(file, 'utf8').split(/^(?=## )/m);
const performed: string[] = [];
const patience = 300_000;

let college: College;
let desk: Desk;
beforeAll(async () => {
  college = await createCollege();
  desk = await createDesk(college);
});
afterAll(async () => {
  await desk?.close();
  await college?.close();
});

/** Performs the chapters of the page up to and with the one of this title. */
async function play(title: string): Promise<void> {
  for (const chapter of chapters.slice(performed.length)) {
    performed.push(await perform(chapter, desk));
    if (chapter.startsWith(`## ${title}\n`)) return;
  }
  throw new Error(`docs/administration.md has no chapter "${title}" after the last one`);
}

/** The entries of people, by who they are: an entry that is made anew is another. */
async function entries(): Promise<Map<string, Record<string, string[]>>> {
  const found = await college.directory.entries('(objectClass=inetOrgPerson)', '*', 'entryUUID', 'entryCSN');
  return new Map([...found].map(([dn, { entryUUID, ...entry }]) => [String(entryUUID), { dn: [dn], ...entry }]));
}

/** What the registry says of everybody who is replicated: login and mail by key. */
async function registered(): Promise<Map<string, string>> {
  const { rows } = await (await college.session('dba')).query<Record<string, string>>(
    `select id, concat_ws(' ', login, mail) as said from registry.person where status in ('student', 'staff')`,
  );
  return new Map(rows.map(({ id = '', said = '' }) => [id, said]));
}

/** The same as the directory has it, of those who are not former. */
async function replicated(): Promise<Map<string, string>> {
  const known = [...(await entries()).values()].filter(
    ({ dn, employeeNumber }) => employeeNumber && !/ou=former/.test(String(dn)),
  );
  return new Map(known.map(({ employeeNumber, uid, mail = [] }) => [String(employeeNumber), [uid, ...mail].join(' ')]));
}

describe('docs/administration.md', () => {
  test(
    'day one: every entry that was there is still there, and everybody has one',
    async () => {
      const before = await entries();
      expect(before.size).toBe(5_000);
      await play('Day one');
      const after = await entries();
      const lost = [...before].filter(([id]) => !after.has(id)).map(([, { dn }]) => String(dn));
      expect(lost).toEqual(['uid=zoe.caruso.old,ou=people,dc=example,dc=org']); // which Carla removed
      expect(await replicated()).toEqual(await registered());
    },
    patience,
  );

  test(
    'day ten: everybody is as the registry says',
    async () => {
      await play('Day ten');
      expect(await replicated()).toEqual(await registered());
    },
    patience,
  );

  test(
    'a bad day: nobody is harmed but who asked for it',
    async () => {
      const before = await entries();
      await play('A bad day');
      const changed = [...(await entries())].filter(
        ([id, entry]) => JSON.stringify(entry) !== JSON.stringify(before.get(id)),
      );
      expect(changed.map(([, { employeeNumber }]) => String(employeeNumber))).toEqual(['2345']);
      expect((await entries()).size).toBe(before.size);
      expect(await replicated()).toEqual(await registered());
    },
    patience,
  );

  test(
    'an audit',
    async () => {
      await play('An audit');
      expect(await replicated()).toEqual(await registered());
    },
    patience,
  );

  test('prints what its commands print (`vitest run -u` writes it anew)', async () => {
    expect(performed).toHaveLength(chapters.length);
    await expect(performed.join('')).toMatchFileSnapshot(file);
  });
});
