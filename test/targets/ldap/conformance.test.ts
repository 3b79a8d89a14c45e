import { escapeValue } from '../../../src/targets/ldap/dn.ts';
import { createDirectory } from '../../setup/directory.ts';
import { conformance } from '../conformance.ts';
import { createLdapTarget } from './bench.ts';

conformance('ldap', async () => {
  const directory = await createDirectory();
  const target = createLdapTarget(directory);
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'employeeNumber',
    id: (name) => `uid=${escapeValue(name)},ou=people,${directory.suffix}`,
    attributes: (name, title = 'first') => ({
      objectClass: ['inetOrgPerson'],
      uid: [name],
      cn: [name],
      sn: [name],
      employeeNumber: [`n-${name}`],
      title: [title],
    }),
    titles: async (name) => {
      const [entry] = (await directory.entries(`(uid=${name})`, 'title')).values();
      return entry === undefined ? undefined : (entry.title ?? []);
    },
    close: async () => {
      await target.close();
      await directory.close();
    },
  };
});
