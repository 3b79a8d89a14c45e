/** What happens to the university in the tour: each scene is a change that one of its applications makes, in one transaction. */

/** A change, and what should come of it. */
export interface Scene {
  readonly name: string;
  /** For the line on the screen: what was changed. */
  readonly told: string;
  /** One statement, run as the application's role. */
  readonly sql: string;
  /** Whose entries must change. Others may follow: the teams of a person who was renamed. */
  readonly entity: 'person' | 'group';
}

/** Somebody in the directory who is in the first team, and so in a group at least. */
const member = `(select min(m.person_id) from registry.member m join registry.person p on p.id = m.person_id
  where m.team_id = 1 and m.person_id > 10 and p.uid is not null and not p.no_replication)`;

export const scenes: readonly Scene[] = [
  {
    name: 'update',
    told: 'person 42 gets another name and telephone number',
    sql: `update registry.person set given_name = 'Seán "Jack"', family_name = 'O’Neill, <Sr.>', phone = '+39 06 424242' where id = 42`,
    entity: 'person',
  },
  {
    name: 'newcomer',
    told: 'a person with an address and a team, in one transaction',
    sql: `with newcomer as (
        insert into registry.person (uid, given_name, family_name, status)
        values ('ada+1815', 'Ada', 'King, Countess of Lovelace', 'staff') returning id),
      address as (insert into registry.email (person_id, address) select id, 'ada@example.edu' from newcomer)
      insert into registry.member (team_id, person_id) select 1, id from newcomer`,
    entity: 'person',
  },
  {
    name: 'rename',
    told: 'a login becomes "new, login\\"',
    sql: `update registry.person set uid = 'new, login\\' where id = ${member}`,
    entity: 'person',
  },
  {
    name: 'e-mail',
    told: 'person 42 gets one more address',
    sql: `insert into registry.email (person_id, address, position) values (42, 'the.answer@example.edu', 7)`,
    entity: 'person',
  },
  {
    name: 'group',
    told: 'the team "Nobody" gets its first two members',
    sql: 'insert into registry.member (team_id, person_id) values (2, 1), (2, 42)',
    entity: 'group',
  },
  {
    name: 'swap',
    told: 'two people swap their logins, "king,jr" and "a+b"',
    sql: `update registry.person p set uid = other.uid from registry.person other
      where (p.uid, other.uid) in (('king,jr', 'a+b'), ('a+b', 'king,jr'))`,
    entity: 'person',
  },
  {
    name: 'removal',
    told: 'person 7 leaves; a removal waits a second for a return',
    sql: 'delete from registry.person where id = 7',
    entity: 'person',
  },
];
