import type { LdifEntry } from '../../src/demo/ldif.ts';
import type { Directory } from '../setup/directory.ts';
import { type TargetName, unitsOf } from './desired.ts';
import { isInhabitant } from './inhabitants.ts';
import { notStrange } from './strangers.ts';

/** What somebody does by hand. */
export type Tampering = 'change' | 'delete';

/** Behind Staffetta's back, changes what the `nth` entry of a target says, or deletes it, if there is any. */
export async function tamper(how: Tampering, target: TargetName, directory: Directory, nth: number): Promise<void> {
  const found = await directory.entries(`(&${notStrange}(|(employeeNumber=*)(businessCategory=*)))`);
  const units = unitsOf(target).map((unit) => `,${unit},${directory.suffix}`);
  const own = [...found].filter(([dn, entry]) => units.some((unit) => dn.endsWith(unit)) && !isInhabitant(entry));
  const [dn, entry] = own.toSorted(([left], [right]) => (left < right ? -1 : 1))[nth % own.length] ?? [];
  if (dn === undefined || entry === undefined) return;
  await directory.modify(`dn: ${dn}\n${how === 'delete' ? 'changetype: delete' : modification(entry)}\n`);
}

function modification({ objectClass = [] }: LdifEntry): string {
  const add = (attribute: string) => `changetype: modify\nadd: ${attribute}\n${attribute}: cn=by hand`;
  if (objectClass.includes('groupOfNames')) return add('member');
  if (objectClass.includes('groupOfUniqueNames')) return add('uniqueMember');
  const attribute = objectClass.includes('inetOrgPerson') ? 'sn' : 'description';
  return `changetype: modify\nreplace: ${attribute}\n${attribute}: By hand`;
}
