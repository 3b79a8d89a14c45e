/**
 * Entries that stood in the directories before Staffetta came, written in another case and with other spaces. Adoption
 * links them, and nobody writes to those that are right. No history changes these people, except that it truncates all.
 */
import type { LdifEntry } from '../../src/demo/ldif.ts';
import type { Directory } from '../setup/directory.ts';
import { type TargetName, unitsOf } from './desired.ts';

/** In the registry: 51 is right on every target, 52 says what is no longer so, 53 is twice on `lists` and not on the others. */
export const inhabitants = `
  insert into registry.person (id, uid) values (51, 'p51'), (52, 'p52'), (53, 'p53');
  insert into registry.team values (51, 'old team');
  insert into registry.member values (51, 51), (51, 52);`;

/** The title of the entry that should not be there. */
const twin = 'twin';

const person = 'objectClass: inetOrgPerson';
const outdated = 'cn: Bianchi\nsn: Bianchi\nemployeeNumber: 52';

const entries: Readonly<Record<TargetName, (suffix: string) => readonly string[]>> = {
  directory: (suffix) => [
    `dn: UID=P51 , OU=People, ${suffix}\n${person}\nuid: P51\ncn: ROSSI\nsn: rossi\nemployeeNumber: 51`,
    `dn: UID=P52,OU=PEOPLE,${suffix}\n${person}\nuid: P52\nroomNumber: 9\n${outdated}`,
    `dn: CN=Old  Team , OU=Groups , ${suffix}\nobjectClass: groupOfNames\ncn: Old  Team\nbusinessCategory: 51
member: UID=P51 , OU=People, ${suffix}\nmember: UID=p52,OU=PEOPLE,${suffix}`,
  ],
  archive: (suffix) => [
    `dn: CN=P51 , OU=Staff, ${suffix}\n${person}\ncn: P51\nsn: ROSSI\nemployeeNumber: 51\nemployeeType: STAFF\ndescription: rossi  (51)`,
    `dn: CN=P52,OU=STAFF,${suffix}\n${person}\ncn: P52\n${outdated}`,
    `dn: CN=OLD TEAM, OU=Teams, ${suffix}\nobjectClass: groupOfUniqueNames\ncn: OLD TEAM\nbusinessCategory: 51
uniqueMember: CN=P51 , OU=Staff, ${suffix}\nuniqueMember: CN=p52,OU=STAFF,${suffix}`,
  ],
  lists: (suffix) => [
    `dn: EmployeeNumber=51 , OU=Lists, ${suffix}\n${person}\nemployeeNumber: 51\ncn: ROSSI\nsn: rossi\nuid: P51`,
    `dn: UID=P52,OU=Lists,${suffix}\n${person}\nuid: P52\n${outdated}`,
    `dn: EmployeeNumber=53,OU=Lists,${suffix}\n${person}\nemployeeNumber: 53\ncn: Rossi\nsn: Rossi`,
    `dn: UID=P53,OU=Lists,${suffix}\n${person}\nemployeeNumber: 53\ncn: Rossi\nsn: Rossi\nuid: P53\ntitle: ${twin}`,
    `dn: OU=OLD TEAM,OU=Names,${suffix}\nobjectClass: organizationalUnit\nou: OLD TEAM\nbusinessCategory: 51
description: 51\ndescription: 52`,
  ],
};

/** Whether an entry was there before Staffetta. */
export function isInhabitant({ employeeNumber, businessCategory }: LdifEntry): boolean {
  return [...(employeeNumber ?? []), ...(businessCategory ?? [])].some((key) => /^5[1-3]$/.test(key));
}

/** Makes the entries of a target. */
export async function settleIn(target: TargetName, directory: Directory): Promise<void> {
  await directory.add(`${entries[target](directory.suffix).join('\n\n')}\n`);
}

/** What stands in the place of the inhabitants of a target: `person 51` and so on, to its entryUUID and entryCSN. */
export async function lookUp(
  target: TargetName,
  directory: Directory,
): Promise<Map<string, { readonly uuid: string; readonly csn: string }>> {
  const units = unitsOf(target).map((unit) => `,${unit},${directory.suffix}`.toLowerCase());
  const found = await directory.entries('(|(employeeNumber=*)(businessCategory=*))', '*', 'entryUUID', 'entryCSN');
  return new Map(
    [...found].flatMap(([dn, entry]) => {
      if (!isInhabitant(entry) || !units.some((unit) => dn.toLowerCase().endsWith(unit))) return [];
      const name = entry.employeeNumber ? `person ${entry.employeeNumber}` : `team ${entry.businessCategory}`;
      return [[name, { uuid: entry.entryUUID?.join() ?? '', csn: entry.entryCSN?.join() ?? '' }]];
    }),
  );
}

/** An administrator chooses between the two entries of a person. */
export async function removeTwin(directory: Directory, key: string): Promise<void> {
  const twins = await directory.entries(`(&(employeeNumber=${key})(title=${twin}))`, '1.1');
  for (const dn of twins.keys()) await directory.modify(`dn: ${dn}\nchangetype: delete\n`);
}
