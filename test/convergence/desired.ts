/**
 * What each target should hold in the end, worked out from the registry's tables and by hand, never by Staffetta; and
 * what it holds instead, as ldapsearch shows it.
 */
import type pg from 'pg';
import type { LdifEntry } from '../../src/demo/ldif.ts';
import type { Directory } from '../setup/directory.ts';
import type { Means } from './conduct.ts';
import { type Past, type Query, readPast } from './past.ts';
import { notStrange } from './strangers.ts';

export const targetNames = ['directory', 'archive', 'lists'] as const;
export type TargetName = (typeof targetNames)[number];

/** An entry that should be there, exactly so. */
interface Wanted {
  readonly id: string;
  /** The names of the entry's RDN and of what it stands below, before the suffix: `uid=,ou=people`. */
  readonly place: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Keys of people whose names are the values of an attribute. */
  readonly members?: Readonly<Record<string, readonly string[]>>;
}

/** One kind of entry of a target. */
interface Kind {
  readonly what: 'person' | 'team';
  /** What the entries of this kind stand below, before the suffix. */
  readonly below: readonly string[];
  /** The attribute that holds the key. */
  readonly key: string;
  /** The key of an entry whose name holds it, whatever the attribute says. */
  readonly named?: RegExp;
  readonly wanted: string;
  /** What may be there besides: answers with what is wrong with such an entry. */
  readonly leftover?: (entry: LdifEntry, key: string, past: Past) => string | undefined;
}

const present = (column: string) => `array_remove(array[nullif(${column}, '')], null)`;
const emails = 'array(select e.address from registry.email e where e.person_id = p.id)';
const person = `from registry.person p
  where not p.hidden and not exists (select from registry.contract c where c.person_id = p.id and c.ends <= now())`;
const members = 'array(select m.person_id::text from registry.member m where m.team_id = t.id)';
const listedMembers = `array(select m.person_id::text from registry.member m
  where m.team_id = t.id and m.person_id in (select p.id ${person} and p.area = 'people'))`;

const kinds: Readonly<Record<TargetName, readonly Kind[]>> = {
  directory: [
    {
      what: 'person',
      below: ['ou=people', 'ou=former'],
      key: 'employeeNumber',
      wanted: `select p.id::text, 'uid=,ou=' || p.area as place, jsonb_build_object('uid', array[p.uid], 'sn', array[p.surname],
        'cn', array[p.surname], 'mail', ${emails}, 'roomNumber', ${present('p.room')}, 'userPassword', ${present('p.password')},
        'employeeType', '{}'::text[]) as attributes ${person}`,
    },
    {
      what: 'team',
      below: ['ou=groups'],
      key: 'businessCategory',
      wanted: `select t.id::text, 'cn=,ou=groups' as place, jsonb_build_object('cn', array[t.name]) as attributes,
        jsonb_build_object('member', ${members}) as members from registry.team t`,
    },
  ],
  archive: [
    {
      what: 'person',
      below: ['ou=staff', 'ou=left'],
      key: 'employeeNumber',
      named: /^cn=(-?\d+),ou=left,/,
      wanted: `select p.id::text, 'cn=,ou=staff' as place, jsonb_build_object('cn', array[p.uid], 'sn', array[p.surname],
        'employeeType', array['staff'], 'description', array[format('%s (%s)', p.surname, p.id)],
        'userPassword', ${present('p.password')}) as attributes ${person}`,
      // An entry that was handed over to a key that left before its first replay still says whose it was: of the same person
      // under another key, or of whoever had the login before (PROTOCOL C4).
      leftover: ({ employeeNumber = [], employeeType, userPassword }, key, { succeeded }) => {
        const itsOwn = employeeNumber.join() === key || succeeded.has(`${employeeNumber.join()} ${key}`);
        const disabled = itsOwn && employeeType?.join() === 'former' && userPassword === undefined;
        return disabled ? undefined : 'is not disabled as it should be';
      },
    },
    {
      what: 'team',
      below: ['ou=teams'],
      key: 'businessCategory',
      wanted: `select t.id::text, 'cn=,ou=teams' as place, jsonb_build_object('cn', array[t.name]) as attributes,
        jsonb_build_object('uniqueMember', ${members}) as members from registry.team t`,
    },
  ],
  lists: [
    {
      what: 'person',
      below: ['ou=lists'],
      key: 'employeeNumber',
      wanted: `select p.id::text, 'employeeNumber=,ou=lists' as place, jsonb_build_object('uid', ${present('p.uid')},
        'sn', array[p.surname], 'cn', array[p.surname], 'mail', ${emails}) as attributes ${person} and p.area = 'people'`,
    },
    {
      what: 'team',
      below: ['ou=names'],
      key: 'businessCategory',
      wanted: `select t.id::text, 'ou=,ou=names' as place,
        jsonb_build_object('ou', array[t.name], 'description', ${members}) as attributes from registry.team t`,
    },
  ],
};

/** What a target may hold besides what it should. */
export interface Excused {
  /** People whose entries may be there although they have left: an administrator did not want them removed. */
  readonly spared: ReadonlySet<string>;
  /** Whoever has left may be there, disabled, where that is what becomes of them. */
  readonly disabled: boolean;
  /** How it is written: a backend calls entries of teams by their keys; a SCIM service knows only its own users as members. */
  readonly means: Means;
}

/** The entity that an entry of a target belongs to by its place; undefined: none. */
export function entityAt(target: TargetName, dn: string): Kind['what'] | undefined {
  const folded = dn.toLowerCase();
  return kinds[target].find(({ below }) => below.some((unit) => folded.includes(`,${unit},`)))?.what;
}

/** Units that entries stand below, for each target. */
export function unitsOf(target: TargetName): string[] {
  return kinds[target].flatMap(({ below }) => below);
}

/** What the target holds and should not, lacks, or has otherwise. */
export async function differences(
  target: TargetName,
  directory: Directory,
  query: Query,
  { spared, disabled, means }: Excused,
): Promise<string[]> {
  const all = await directory.entries(
    `(&${notStrange}(|(objectClass=inetOrgPerson)(businessCategory=*)(objectClass=groupOfNames)))`,
    '*',
  );
  const was = await readPast(query);
  const found: string[] = [];
  const everybody = new Map<string, string>();
  for (const kind of kinds[target]) {
    const here = new Map(
      [...all].filter(([dn]) => kind.below.some((unit) => dn.endsWith(`,${unit},${directory.suffix}`))),
    );
    const keyed = Map.groupBy(
      [...here],
      ([dn, entry]) => kind.named?.exec(dn)?.[1] ?? entry[kind.key]?.join() ?? 'nobody',
    );
    const wanted = new Map(
      (await query<Wanted & pg.QueryResultRow>(wantedBy(means, kind))).map((row) => [row.id, row]),
    );
    const released = target === 'lists' && kind.what === 'person' ? was.outsiders : new Set();
    const say = (id: string, what: string) => found.push(`${target} ${kind.what} ${id}: ${what}`);
    for (const [id, entries] of keyed) {
      const [[dn, entry] = ['', {}], ...others] = entries;
      if (kind.what === 'person') everybody.set(id, dn);
      if (others.length > 0) say(id, `is there ${entries.length} times: ${entries.map(([dn]) => dn).join(' and ')}`);
      if (wanted.has(id) || released.has(id) || (kind.what === 'person' && spared.has(id))) continue;
      const wrong = disabled && kind.leftover ? kind.leftover(entry, id, was) : 'should not be there';
      if (wrong !== undefined) say(id, `${dn} ${wrong}`);
    }
    for (const [id, want] of wanted) {
      const [dn, entry] = keyed.get(id)?.[0] ?? [];
      if (dn === undefined || entry === undefined) say(id, 'is missing');
      else for (const what of unlike(want, dn, entry, everybody, directory.suffix)) say(id, what);
    }
  }
  return found;
}

/** The question for what should be there of a kind, where it is written so. */
function wantedBy(means: Means, { wanted }: Kind): string {
  switch (means) {
    case 'script':
      return wanted.replace("'ou=,ou=names'", "'businessCategory=,ou=names'");
    case 'scim':
      return wanted.replace(`'description', ${members}`, `'description', ${listedMembers}`);
    default:
      return wanted;
  }
}

/** What a wanted entry has otherwise. `dnOf`: the names of people, of those too who have left and are kept. */
function unlike(
  { place, attributes, members = {} }: Wanted,
  dn: string,
  entry: LdifEntry,
  dnOf: ReadonlyMap<string, string>,
  suffix: string,
): string[] {
  const found: string[] = [];
  const [naming = '', ...below] = place.split(',');
  if (!dn.startsWith(naming) || !dn.endsWith(`,${below.join()},${suffix}`))
    found.push(`is at ${dn}, expected ${place}`);
  const compare = (name: string, wanted: readonly string[]) => {
    const [there, meant] = [entry[name] ?? [], wanted].map((values) => {
      return JSON.stringify(values.map((value) => fold(name, value)).toSorted());
    });
    if (there !== meant) found.push(`${name} is ${there}, expected ${meant}`);
  };
  for (const [name, values] of Object.entries(attributes)) compare(name, values);
  for (const [name, keys] of Object.entries(members)) {
    const names = keys.flatMap((key) => dnOf.get(key) ?? []);
    compare(name, names.length > 0 ? names : ['cn=nobody']);
  }
  return found;
}

/** A value as its attribute is compared: all but passwords whatever their case, and however many spaces (RFC 4517 §4.2). */
function fold(attribute: string, value: string): string {
  return attribute === 'userPassword' ? value : value.toLowerCase().replaceAll(/ +/g, ' ');
}
