/**
 * The people of the university: realistic, hard to replicate and always the same. Whoever is in `hard.ts` comes first,
 * then people with names from all over the world. A hundredth more are made who are not to be replicated: they have no
 * login, or are marked.
 *
 * Person 42's password is `university-42`.
 */
import { createHash } from 'node:crypto';
import { courses, departments } from './departments.ts';
import { createDistinct } from './distinct.ts';
import { type HardPerson, hardPeople } from './hard.ts';
import { languages } from './names.ts';
import { jpeg } from './photo.ts';
import type { Random } from './random.ts';

/** A row of `registry.person`, with those of its `email` and `career`; fields are named as the columns. */
export interface Person {
  readonly id: number;
  readonly uid: string | null;
  readonly given_name: string | null;
  readonly family_name: string | null;
  readonly birth_date: string;
  readonly status: string;
  readonly password_hash: string | null;
  readonly phone: string | null;
  /** PostgreSQL's hex form, `\x…`. */
  readonly photo: string | null;
  readonly preferred_language: string | null;
  readonly department_id: number | null;
  readonly no_replication: boolean;
  readonly emails: readonly { readonly address: string; readonly kind: string; readonly position: number }[];
  readonly careers: readonly {
    readonly course: string;
    readonly department_id: number;
    readonly status: string;
    readonly since: string;
    readonly until: string | null;
  }[];
}

/** @param count how many are replicated; they have the ids 1 to `count` */
export function* generatePeople(random: Random, count: number): Generator<Person> {
  const logins = createDistinct();
  for (const { uid } of hardPeople) if (uid !== undefined) logins.take(uid);
  for (let id = 1; id <= count + Math.ceil(count / 100); id++) {
    const hard = hardPeople[id - 1];
    const { tag, ...named } = hard === undefined ? name(random) : { tag: null, ...hard };
    const uid = named.uid ?? logins.take(login(random, id, named));
    const leftOut = id <= count ? undefined : random.pick(['has no login', 'is marked']);
    const status = leftOut === 'has no login' ? 'applicant' : random.pick(statuses);
    yield {
      id,
      uid: leftOut === 'has no login' ? null : uid,
      given_name: named.given,
      family_name: named.family,
      birth_date: day(random, 1950, 56),
      status,
      password_hash: random.chance(0.97) ? password(`university-${id}`, random.bytes(8)) : null,
      phone: random.chance(0.3) ? phone(random) : null,
      photo: random.chance(0.05) ? `\\x${jpeg(random.bytes(100 + random.integer(4000))).toString('hex')}` : null,
      preferred_language: tag,
      department_id: random.chance(0.9) ? random.pick(departments).id : null,
      no_replication: leftOut === 'is marked',
      emails: (named.emails ?? addresses(random, id, uid)).map((address, index) => ({
        address,
        kind: /@students\./.test(address) ? 'student' : index === 0 ? 'work' : 'alias',
        position: index + 1,
      })),
      careers: status === 'student' || status === 'former' || random.chance(0.1) ? careers(random) : [],
    };
  }
}

const statuses = ['student', 'student', 'student', 'student', 'student', 'staff', 'staff', 'guest', 'former'] as const;

function name(random: Random): HardPerson & { readonly tag: string | null } {
  const { tag, given, family } = random.pick(languages);
  const second = random.chance(0.1) ? ` ${random.pick(given)}` : '';
  return {
    tag: random.chance(0.9) ? tag : null,
    given: random.pick(given) + second,
    family: family === undefined ? null : random.pick(family),
  };
}

/** Latin names in ASCII, joined by a dot; of other names some as they are, most by number. */
function login(random: Random, id: number, { given, family }: HardPerson): string {
  const names = [given, family].filter((part) => part !== null);
  const plain = names.map(ascii).filter((part) => part !== '');
  if (plain.length > 0) return plain.join('.').slice(0, 40);
  return random.chance(0.2) ? names.join('.').replace(/\s+/gu, '.').slice(0, 40) : number(id);
}

const number = (id: number): string => `u${String(id).padStart(7, '0')}`;

const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ħ: 'h',
  đ: 'd',
};

const ascii = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z]/g, (letter) => letters[letter] ?? letter)
    .normalize('NFD')
    .replace(/[^a-z]/g, '');

function addresses(random: Random, id: number, uid: string): string[] {
  const local = /^[a-z0-9.]+$/.test(uid) ? uid : number(id);
  const all = [
    `${local}@example.edu`,
    `${number(id)}@students.example.edu`,
    `${local}+lists@example.edu`,
    `${local}@xn--universitt-y5a.example`,
  ];
  const first = random.integer(2);
  return all.slice(first, first + random.pick([0, 1, 1, 1, 1, 1, 1, 2, 2, 3]));
}

function careers(random: Random): Person['careers'] {
  return Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => {
    const status = random.pick(['active', 'active', 'active', 'suspended', 'graduated', 'withdrawn']);
    const ended = status === 'graduated' || status === 'withdrawn';
    return {
      course: random.pick(courses),
      department_id: random.pick(departments).id,
      status,
      since: day(random, 2015, 5),
      until: ended ? day(random, 2021, 4) : null,
    };
  });
}

/** A day within so many years from the beginning of `year`, as ISO text. */
const day = (random: Random, year: number, years: number): string =>
  new Date(Date.UTC(year, 0, 1 + random.integer(years * 365))).toISOString().slice(0, 10);

const phone = (random: Random): string => {
  const digits = String(1_000_000 + random.integer(9_000_000));
  return random.pick([
    `+39 06 ${digits}`,
    `+49 (30) ${digits.slice(0, 3)}-${digits.slice(3)}`,
    `06/${digits}`,
    `+1 212.${digits.slice(0, 3)}.${digits.slice(3)}`,
  ]);
};

/** Salted SHA-1 as OpenLDAP takes it without a module; a university would use something stronger. */
const password = (text: string, salt: Buffer): string =>
  `{SSHA}${Buffer.concat([createHash('sha1').update(text).update(salt).digest(), salt]).toString('base64')}`;
