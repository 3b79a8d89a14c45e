/** The people and teams of a small university, always the same, and its directory as other programs and people left it. */

/** A row of `registry.person`. */
export interface Person {
  readonly id: number;
  readonly login: string;
  readonly given_name: string;
  readonly surname: string;
  readonly status: 'student' | 'staff' | 'applicant';
  readonly mail: string;
  readonly phone: string | null;
  readonly password_hash: string;
}

const list = (text: string) => text.split(' ');
const given = list(
  'Ada Aldo Anna Bruna Bruno Carlo Carla Dario Dora Edda Elena Enzo Fabio Fausta Gino Giulia Guido Hugo Ida Ines Irma Jacopo Katia Lea Lino Luca Marta Mirko Nadia Nico Nora Olga Oreste Paolo Pia Remo Rita Sara Silvio Teresa Tullio Ugo Vera Vito Walter Zita Zoe',
);
const surnames = list(
  'Amato Barbieri Basile Bellini Bianchi Bruni Caruso Cattaneo Colombo Conti Costa Esposito Fabbri Farina Ferrari Ferri Fontana Galli Gallo Gatti Gentile Giordano Greco Grassi Guerra Leone Lombardi Longo Mancini Mariani Marino Martini Mazza Messina Moretti Negri Neri Orlando Palumbo Parisi Piras Ricci Rinaldi Rizzo Romano Rossi Ruggiero Russo Sala Sanna Santoro Serra Silvestri Sorrentino Testa Valentini Villa Vitale Zanella',
);
const pick = (names: readonly string[], index: number) => names[index % names.length] ?? '';

function* everybody(count: number): Generator<Person> {
  const logins = new Map<string, number>();
  for (let id = 1; id <= count; id += 1) {
    const names = { given_name: pick(given, id * 7), surname: pick(surnames, id * 11 + Math.floor(id / given.length)) };
    const plain = `${names.given_name}.${names.surname}`.toLowerCase();
    const same = (logins.get(plain) ?? 0) + 1;
    logins.set(plain, same);
    const login = same === 1 ? plain : `${plain}${same}`;
    const status = id > members ? 'applicant' : id % 5 === 0 ? 'staff' : 'student';
    yield {
      id,
      login,
      ...names,
      status,
      mail: `${login}@example.org`,
      phone: status === 'staff' ? `+39 050 22 ${10_000 + id}` : null,
      password_hash: `{SSHA}${Buffer.alloc(28, `password ${id} `).toString('base64')}`,
    };
  }
}

/** Those with the ids up to this one study or work here; the others only wish to. */
const members = 5_004;

export const people: readonly Person[] = [...everybody(5_010)];

const fields = list(
  'Biology Chemistry Economics Geology History Informatics Law Linguistics Mathematics Medicine Philosophy Physics',
);
const kinds = list('board exams excursions laboratory library research seminar students teaching theses');

/** A row of `registry.team`, and whose `id` it has as members. */
export const teams = fields.flatMap((field, row) =>
  kinds.map((kind, column) => {
    const id = row * kinds.length + column + 1;
    return {
      id,
      name: `${field} ${kind}`,
      members: people.flatMap((person) => (person.id % 120 === id % 120 ? [person.id] : [])),
    };
  }),
);

/** Who has come in the last weeks: the old programs have not got to them. */
const isNew = ({ id, status }: Person) => id > 4_995 || status === 'applicant';
/** Who has married since: the old programs never rename. */
const formerSurnames: ReadonlyMap<number, string> = new Map([
  [1_203, 'Belmonte'],
  [2_417, 'Cavour'],
  [4_030, 'Durazzo'],
]);

const formerly = (person: Person): Person => {
  const surname = formerSurnames.get(person.id);
  return surname === undefined
    ? person
    : { ...person, surname, login: `${person.given_name}.${surname}`.toLowerCase() };
};
const dnOf = ({ login }: Person, suffix: string) => `uid=${login},ou=people,${suffix}`;

function entryOf(person: Person, suffix: string): string {
  const { id, login, given_name, surname, mail, phone, password_hash } = person;
  const staff = phone === null ? [] : [`telephoneNumber: ${id % 125 === 0 ? '+39 050 22 9999' : phone}`]; // never kept up to date
  return [
    `dn: ${dnOf(person, suffix)}`,
    'objectClass: inetOrgPerson',
    `uid: ${login}`,
    `cn: ${given_name} ${surname}`,
    `sn: ${id % 10 === 0 ? surname.toUpperCase() : surname}`,
    `givenName: ${given_name}`,
    `mail: ${mail}`,
    `employeeNumber: ${id}`,
    ...staff,
    `userPassword: ${password_hash}`,
  ].join('\n');
}

/** 5,000 entries of people (and of things that are none) and 120 groups, as LDIF. */
export function oldDirectory(suffix: string): string {
  const known = people.filter((person) => !isNew(person)).map(formerly);
  const thing = (uid: string, more: readonly string[] = []) =>
    [
      `dn: uid=${uid},ou=people,${suffix}`,
      'objectClass: inetOrgPerson',
      `uid: ${uid}`,
      `cn: ${uid}`,
      `sn: ${uid}`,
      ...more,
    ].join('\n');
  const byId = new Map(known.map((person) => [person.id, dnOf(person, suffix)]));
  const groups = teams.map(({ name, members }) =>
    [
      `dn: cn=${name},ou=groups,${suffix}`,
      'objectClass: groupOfNames',
      `cn: ${name}`,
      ...members.flatMap((id) => byId.get(id) ?? []).map((dn) => `member: ${dn}`),
    ].join('\n'),
  );
  return [
    ...known.map((person) => entryOf(person, suffix)),
    thing('zoe.caruso.old', ['employeeNumber: 1007']), // somebody began to rename her, and left it at that
    ...['printer', 'scanner', 'test', 'wifi-guest'].map((uid) => thing(uid)),
    ...groups,
  ].join('\n\n');
}
