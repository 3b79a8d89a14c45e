/** Makes the registry in a database, and fills it. */
import { readFile } from 'node:fs/promises';
import type { ClientBase } from 'pg';
import { departments } from './departments.ts';
import { generatePeople, type Person } from './people.ts';
import { createRandom } from './random.ts';
import { generateTeams } from './teams.ts';

/** How much to load. */
export interface UniversitySize {
  /** People who are replicated; a hundredth more are not. Default: 2,000 */
  readonly people?: number;
  /** Default: 60 */
  readonly groups?: number;
  /** The same seed makes the same university. Default: 1 */
  readonly seed?: number;
}

/** Rows written. */
export interface UniversityLoad {
  /** People with a login who are to be replicated. */
  readonly people: number;
  /** People who are not. */
  readonly leftOut: number;
  readonly groups: number;
}

/** Creates the schema `registry` with its tables and views. Fails if there is one already. */
export async function createUniversity(client: ClientBase): Promise<void> {
  for (const file of ['schema.sql', 'views.sql']) {
    await client.query(await readFile(new URL(file, import.meta.url), 'utf8'));
  }
}

/** Fills an empty registry, thousands of rows to a statement. Opens no transaction of its own. */
export async function loadUniversity(client: ClientBase, size: UniversitySize = {}): Promise<UniversityLoad> {
  const { people = 2_000, groups = 60, seed = 1 } = size;
  const random = createRandom(seed);
  await insert(client, 'department', ['id', 'code', 'name'], departments);
  let persons = 0;
  for (const chunk of chunks(generatePeople(random, people), 2_000)) {
    persons += chunk.length;
    await insertPeople(client, chunk);
  }
  const teams = generateTeams(random, groups, people, persons);
  await insert(client, 'team', ['id', 'name', 'description'], teams);
  const members = teams.flatMap((team) => team.members.map((member) => ({ team_id: team.id, ...member })));
  await insert(client, 'member', ['team_id', 'person_id', 'role'], members);
  for (const table of ['department', 'person', 'team']) {
    await client.query(
      `select setval(pg_get_serial_sequence('registry.${table}', 'id'), max(id)) from registry.${table}`,
    );
  }
  return { people, leftOut: persons - people, groups };
}

async function insertPeople(client: ClientBase, people: readonly Person[]): Promise<void> {
  const of = <T>(rows: (person: Person) => readonly T[]) =>
    people.flatMap((person) => rows(person).map((row) => ({ person_id: person.id, ...row })));
  await insert(
    client,
    'person',
    [
      'id',
      'uid',
      'given_name',
      'family_name',
      'birth_date',
      'status',
      'password_hash',
      'phone',
      'photo',
      'preferred_language',
      'department_id',
      'no_replication',
    ],
    people,
  );
  await insert(
    client,
    'email',
    ['person_id', 'address', 'kind', 'position'],
    of((person) => person.emails),
  );
  await insert(
    client,
    'career',
    ['person_id', 'course', 'department_id', 'status', 'since', 'until'],
    of((person) => person.careers),
  );
}

/** One statement for any number of rows: PostgreSQL takes the columns out of JSON. */
async function insert(
  client: ClientBase,
  table: string,
  columns: readonly string[],
  rows: readonly object[],
): Promise<void> {
  const list = columns.join(', ');
  await client.query(
    `insert into registry.${table} (${list}) select ${list} from jsonb_populate_recordset(null::registry.${table}, $1)`,
    [JSON.stringify(rows)],
  );
}

function* chunks<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
