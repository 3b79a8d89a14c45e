import { describe, expect, test } from 'vitest';
import { createDistinct } from '../../examples/university/distinct.ts';
import { generatePeople, type Person } from '../../examples/university/people.ts';
import { createRandom } from '../../examples/university/random.ts';
import { generateTeams } from '../../examples/university/teams.ts';

const generate = (seed: number) => [...generatePeople(createRandom(seed), 2_000)];
const people = generate(1);
const teams = generateTeams(createRandom(1), 60, 2_000, people.length);
const names = (person: Person) => [person.given_name, person.family_name].filter((name) => name !== null);
const logins = people.flatMap(({ uid }) => uid ?? []);

describe('the people', () => {
  test('are the same for the same seed and others for another', () => {
    expect(generate(1)).toEqual(people);
    expect(generate(2)).not.toEqual(people);
  });

  test('are 2,000 who are replicated and 20 who are not', () => {
    const replicated = people.filter((person) => person.uid !== null && !person.no_replication);
    expect(replicated).toHaveLength(2_000);
    expect(people).toHaveLength(2_020);
    expect(people.some((person) => person.no_replication && person.uid !== null)).toBe(true);
  });

  test.each([
    ['a comma', /,/],
    ['a quote', /"/],
    ['an apostrophe', /'/],
    ['a plus sign', /\+/],
    ['a number sign in front', /^#/],
    ['a backslash', /\\/],
    ['a backslash at the end', /\\$/],
    ['an angle bracket', /</],
    ['a semicolon', /;/],
    ['an equals sign', /=/],
    ['a parenthesis and an asterisk', /\*.*\)|\(.*\*/],
    ['a brace', /\{/],
  ])('have %s in a name and in a login', (_, character) => {
    expect(people.flatMap(names).some((name) => character.test(name))).toBe(true);
    expect(logins.some((login) => character.test(login))).toBe(true);
  });

  test.each<[what: string, pattern: RegExp]>([
    ['spaces in front', /^ /],
    ['spaces at the end', / $/],
    ['two spaces in a row', / {2}/],
    ['200 characters', /^.{200}$/su],
    ['a combining mark', /[a-z]\p{M}/u],
    ['a precomposed letter', /\u00c5/],
    ['a right-to-left mark', /\u200f/],
    ['a dotless i', /ı/],
    ['a dotted capital i', /İ/],
    ['a sharp s', /ß/],
    ['Icelandic letters', /[ðþ]/],
    ['Vietnamese letters', /Nguyễn/],
    ['a character beyond the basic plane', /[\u{10000}-\u{10ffff}]/u],
  ])('have %s in a name', (_, pattern) => {
    expect(people.flatMap(names).some((name) => pattern.test(name))).toBe(true);
  });

  test.each(
    'Latin Cyrillic Greek Arabic Hebrew Han Hiragana Katakana Hangul Devanagari Bengali Tamil Thai Myanmar Ethiopic Georgian Armenian'.split(
      ' ',
    ),
  )('have names in %s letters', (script) => {
    const letter = new RegExp(`\\p{Script=${script}}`, 'u');
    expect(people.flatMap(names).filter((name) => letter.test(name)).length).toBeGreaterThan(10);
  });

  test('have one name only, be it the given or the family name', () => {
    expect(people.some((person) => person.family_name === null)).toBe(true);
    expect(people.some((person) => person.given_name === null)).toBe(true);
  });

  test('share names, even all of them', () => {
    expect(people.filter((person) => names(person).join() === 'Maria,Rossi').length).toBeGreaterThan(2);
  });

  test('have no, one or several e-mail addresses, all of them ASCII', () => {
    expect(new Set(people.map(({ emails }) => emails.length))).toEqual(new Set([0, 1, 2, 3, 4]));
    for (const { address } of people.flatMap(({ emails }) => emails)) expect(address).toMatch(/^[!-~]+@[!-~]+$/);
  });

  test('have logins that no directory takes for the same', () => {
    const distinct = createDistinct();
    expect(logins.map((login) => distinct.take(login))).toEqual(logins);
  });

  test('are in teams large and small; one is empty, one has nobody who is replicated', () => {
    const [everybody, nobody, leftOut] = teams.map(({ members }) => members.map(({ person_id }) => person_id));
    expect(everybody?.length).toBeGreaterThan(300);
    expect(nobody).toEqual([]);
    expect(leftOut?.length).toBeGreaterThan(0);
    expect(leftOut?.every((id) => id > 2_000)).toBe(true);
    expect(teams).toHaveLength(60);
  });
});
