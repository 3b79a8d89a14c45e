import { conformance } from '../conformance.ts';
import { createBench, employeeNumber, workMail } from './bench.ts';

const kinds = {
  scim: () => createBench(),
  'scim, replacing resources': async () => {
    const bench = await createBench();
    bench.server.behave('no PATCH');
    return bench;
  },
  'scim, with cursors, versions and no filters': async () => {
    const bench = await createBench({ pageSize: 5 });
    bench.server.behave('cursors');
    bench.server.behave('versions');
    bench.server.behave('no filters');
    return bench;
  },
  'scim, in bulk': () => createBench({ bulk: true, pageSize: 7 }),
  'scim, without discovery': async () => {
    const bench = await createBench();
    bench.server.behave('no discovery');
    bench.server.behave('no scimType');
    return bench;
  },
};

for (const [kind, create] of Object.entries(kinds)) {
  conformance(kind, async () => {
    const { server, target, close } = await create();
    return {
      target,
      entity: 'person',
      title: 'title',
      unique: 'externalId',
      id: (name) => `User/${name}`,
      attributes: (name, title = 'first') => ({
        externalId: [`n-${name}`],
        displayName: [name],
        'name.familyName': [name],
        active: ['TRUE'],
        [workMail]: [`${name}@example.org`],
        [employeeNumber]: [`n-${name}`],
        title: [title],
      }),
      titles: async (name) => {
        const user = server.users().find(({ userName }) => userName === name);
        return user && (typeof user.title === 'string' ? [user.title] : []);
      },
      close,
    };
  });
}
