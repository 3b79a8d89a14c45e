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

/** The cards of the staff, by the id of the person. */
export async function readExpectedCards(client: ClientBase): Promise<Map<string, ExpectedCard>> {
  const { rows } = await client.query<PersonRow>(`select * from registry.v_person where status = 'staff'`);
  return new Map(
    rows.map(({ id, display_name: name, uid: login, department_codes }) => [
      id,
      { name, login, departments: department_codes ?? [] },
    ]),
  );
}

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
