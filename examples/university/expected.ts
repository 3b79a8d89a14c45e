/**
 * What the directory should hold, worked out a second time: from the administrator's views, by hand, without anything
 * that Staffetta generates or computes. It says the same as `staffetta.yml`, in other words.
 */
import type { ClientBase } from 'pg';

/** An entry that should be there. Bytes are in base64, marked `base64:`. */
export interface ExpectedEntry {
  readonly unit: 'people' | 'groups';
  readonly rdn: readonly [type: string, value: string];
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Ids of the people who are its members and replicated; groups only. */
  readonly members?: readonly string[];
  /** It is in the view, but must not be in the directory: a hook refuses it. */
  readonly refused?: true;
}

interface PersonRow {
  id: string;
  uid: string;
  given_name: string | null;
  family_name: string | null;
  display_name: string;
  sort_name: string;
  status: string;
  phone: string | null;
  preferred_language: string | null;
  photo: Buffer | null;
  password_hash: string | null;
  department: string | null;
  department_codes: string[] | null;
  emails: string[] | null;
  courses: string[] | null;
}

interface GroupRow {
  id: string;
  name: string;
  description: string | null;
  members: string[] | null;
}

/** Reads both views in one snapshot. Begins a transaction of its own. */
export async function readExpected(client: ClientBase): Promise<ExpectedEntry[]> {
  await client.query('begin isolation level repeatable read, read only');
  try {
    const people = await client.query<PersonRow>('select * from registry.v_person');
    const groups = await client.query<GroupRow>('select * from registry.v_group');
    const ids = new Set(people.rows.filter(({ uid }) => !reserved.test(uid)).map(({ id }) => id));
    return [...people.rows.map(personEntry), ...groups.rows.map((row) => groupEntry(row, ids))];
  } finally {
    await client.query('rollback');
  }
}

/** What a card says. */
export interface ExpectedCard {
  readonly name: string;
  readonly login: string;
  readonly departments: readonly string[];
}

/** The cards of the staff, as `card` and the id of the person. */
export async function readExpectedCards(client: ClientBase): Promise<Map<string, ExpectedCard>> {
  const { rows } = await client.query<PersonRow>(`select * from registry.v_person where status = 'staff'`);
  return new Map(
    rows.map(({ id, display_name: name, uid: login, department_codes }) => [
      `card ${id}`,
      { name, login, departments: department_codes ?? [] },
    ]),
  );
}

/** What an account of the help desk says, or a team of it. */
export type ExpectedAccount =
  | {
      readonly userName: string;
      readonly displayName: string;
      readonly emails: readonly string[];
      readonly department: string | null;
    }
  | { readonly displayName: string; readonly members: readonly string[] };

/** The accounts of people, as `user` and their ids, and of teams, as `group` and theirs. */
export async function readExpectedAccounts(client: ClientBase): Promise<Map<string, ExpectedAccount>> {
  const people = await client.query<PersonRow>('select * from registry.v_person');
  const groups = await client.query<GroupRow>('select * from registry.v_group');
  const ids = new Set(people.rows.map(({ id }) => id));
  const users = people.rows.map(({ id, uid, display_name, emails, department }) => {
    const given = (emails ?? []).filter((address) => address !== '');
    const account = { userName: uid, displayName: display_name, emails: [...new Set(given)].toSorted() };
    return [`user ${id}`, { ...account, department: department === '' ? null : department }] as const;
  });
  const teams = groups.rows.map(({ id, name, members }) => {
    const known = (members ?? []).filter((member) => ids.has(member));
    return [`group ${id}`, { displayName: name, members: known.toSorted() }] as const;
  });
  return new Map<string, ExpectedAccount>([...users, ...teams]);
}

/** What a line of the phonebook says. */
export interface ExpectedLine {
  readonly name: string;
  readonly login: string;
  readonly phone: string;
  readonly departments: string;
}

/** The lines of whoever has a telephone, as `phonebook` and the id of the person. */
export async function readExpectedPhonebook(client: ClientBase): Promise<Map<string, ExpectedLine>> {
  const { rows } = await client.query<PersonRow & { phone: string }>(
    `select * from registry.v_person where length(phone) > 0`,
  );
  return new Map(
    rows.map(({ id, display_name, uid, phone, department_codes }) => [
      `phonebook ${id}`,
      {
        name: defused(display_name),
        login: defused(uid),
        phone: defused(phone),
        departments: defused((department_codes ?? []).join('|')),
      },
    ]),
  );
}

/** What a spreadsheet would take for a formula has an apostrophe before it. */
const defused = (text: string): string => (/^[=+@\t\r-]/.test(text) ? `'${text}` : text);

/** As `hooks/reserved.ts` has it. */
const reserved = /^(admin|root|(host|post|web)master)$/i;

const personEntry = (row: PersonRow): ExpectedEntry => ({
  unit: 'people',
  ...(reserved.test(row.uid) ? { refused: true } : {}),
  rdn: ['uid', row.uid],
  attributes: attributes({
    objectClass: ['inetOrgPerson'],
    uid: [row.uid],
    cn: [[row.given_name, row.family_name].filter((name) => name !== null).join(' ')],
    sn: [row.sort_name],
    givenName: [row.given_name],
    displayName: [row.display_name],
    mail: row.emails,
    telephoneNumber: [row.phone],
    employeeNumber: [row.id],
    employeeType: [row.status],
    departmentNumber: row.department_codes,
    ou: [row.department],
    description: [row.department === null ? null : `${row.status}, ${row.department}`],
    businessCategory: row.courses,
    preferredLanguage: [row.preferred_language],
    jpegPhoto: [row.photo === null ? null : `base64:${row.photo.toString('base64')}`],
    userPassword: [row.password_hash],
  }),
});

const groupEntry = (row: GroupRow, people: ReadonlySet<string>): ExpectedEntry => ({
  unit: 'groups',
  rdn: ['cn', row.name],
  attributes: attributes({ objectClass: ['groupOfNames'], cn: [row.name], description: [row.description] }),
  members: (row.members ?? []).filter((id) => people.has(id)),
});

/** Nothing, and an empty text, is no value; no value is no attribute. */
function attributes(lists: Record<string, readonly (string | null)[] | null>): Record<string, string[]> {
  const entry: Record<string, string[]> = {};
  for (const [name, list] of Object.entries(lists)) {
    const values = (list ?? []).filter((value) => value !== null).filter((value) => value !== '');
    if (values.length > 0) entry[name] = values;
  }
  return entry;
}
