/**
 * Compares a directory with the registry of `examples/university`, entry by entry, by other means than the product's
 * own: the administrator's views as they are, and OpenLDAP's ldapsearch.
 */
import { type ExpectedEntry, readExpected } from '../../examples/university/expected.ts';
import { type DirectoryAddress, type FoundEntry, readDirectory } from './directory-reader.ts';
import { type Dn, dnKey, readDn } from './dn-reader.ts';
import { withDatabase } from './with-database.ts';

/** An entry that is not as it should be. */
export type Mismatch =
  | { readonly problem: 'missing' | 'unexpected'; readonly dn: string }
  | {
      readonly problem: 'different';
      readonly dn: string;
      /** `dn` itself, where case or spaces of the name differ. Members are named `person 42`, after who they are. */
      readonly attribute: string;
      /** Passwords are masked, bytes shortened. */
      readonly expected: readonly string[];
      readonly found: readonly string[];
    };

export interface Comparison {
  /** How many entries there should be. */
  readonly people: number;
  readonly groups: number;
  /** How many people of the view a hook keeps out, and are not there. */
  readonly refused: number;
  readonly mismatches: readonly Mismatch[];
}

/** Reads both sides, one after the other: nobody should be writing meanwhile. Fails unless it could read all of both. */
export async function compareDirectory(options: {
  readonly databaseUrl: string;
  readonly ldap: DirectoryAddress;
  /** The member of a group without any. Default: `cn=nobody` */
  readonly placeholder?: string;
}): Promise<Comparison> {
  const { databaseUrl, ldap, placeholder = 'cn=nobody' } = options;
  const expected = await withDatabase(databaseUrl, readExpected);
  const found = await readDirectory(ldap);
  const suffix = readDn(ldap.suffix);
  const persons = personsByDn(found);
  const mismatches: Mismatch[] = [];
  const refused = expected.filter((entry) => entry.refused && !found.has(dnKey(dnOf(entry, suffix)))).length;
  const wanted = expected.filter((entry) => !entry.refused); // whoever is there all the same is unexpected
  for (const entry of wanted) {
    const dn = dnOf(entry, suffix);
    const key = dnKey(dn);
    const there = found.get(key);
    found.delete(key);
    if (there === undefined) mismatches.push({ problem: 'missing', dn: `${entry.rdn.join('=')} in ou=${entry.unit}` });
    else mismatches.push(...differences(entry, dn, there, persons, placeholder));
  }
  for (const { dn } of found.values()) mismatches.push({ problem: 'unexpected', dn });
  const people = wanted.filter(({ unit }) => unit === 'people').length;
  return { people, groups: wanted.length - people, refused, mismatches };
}

function dnOf({ rdn, unit }: ExpectedEntry, suffix: Dn): Dn {
  return [[rdn], [['ou', unit]], ...suffix];
}

/** A mismatch as one line for a person. */
export function describeMismatch(mismatch: Mismatch): string {
  if (mismatch.problem !== 'different') return `${mismatch.problem}: ${mismatch.dn}`;
  const { dn, attribute, expected, found } = mismatch;
  return `different: ${dn}: ${attribute} is ${JSON.stringify(found)}, should be ${JSON.stringify(expected)}`;
}

/** Who is behind the DN of a member: `person 42`. */
function personsByDn(found: ReadonlyMap<string, FoundEntry>): Map<string, string> {
  const persons = new Map<string, string>();
  for (const [key, { attributes }] of found) {
    const [id] = attributes.employeeNumber ?? [];
    if (id !== undefined) persons.set(key, `person ${id}`);
  }
  return persons;
}

function differences(
  entry: ExpectedEntry,
  dn: Dn,
  { dn: foundDn, attributes }: FoundEntry,
  persons: ReadonlyMap<string, string>,
  placeholder: string,
): Mismatch[] {
  const { member = [], ...others } = attributes;
  const found = new Map(Object.entries(others));
  const expected = new Map(Object.entries(entry.attributes));
  found.set('dn', [JSON.stringify(readDn(foundDn))]);
  expected.set('dn', [JSON.stringify(dn)]);
  found.set(
    'member',
    member.map((value) => persons.get(dnKey(readDn(value))) ?? value),
  );
  const members = entry.members?.map((id) => `person ${id}`) ?? [];
  expected.set('member', entry.unit === 'groups' && members.length === 0 ? [placeholder] : members);

  const mismatches: Mismatch[] = [];
  for (const attribute of new Set([...expected.keys(), ...found.keys()])) {
    const left = [...(expected.get(attribute) ?? [])].sort();
    const right = [...(found.get(attribute) ?? [])].sort();
    if (JSON.stringify(left) === JSON.stringify(right)) continue;
    const shown = (values: readonly string[]) => values.map((value) => show(attribute, value));
    mismatches.push({ problem: 'different', dn: foundDn, attribute, expected: shown(left), found: shown(right) });
  }
  return mismatches;
}

function show(attribute: string, value: string): string {
  if (attribute === 'userPassword') return '********';
  return value.startsWith('base64:') && value.length > 60
    ? `${value.slice(0, 60)}… (${value.length} characters)`
    : value;
}
