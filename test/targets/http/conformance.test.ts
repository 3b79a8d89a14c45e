import { conformance } from '../conformance.ts';
import { createHttpTarget, person } from './bench.ts';
import { createRestService } from './rest-service.ts';

conformance('http', async () => {
  const service = await createRestService();
  const target = createHttpTarget({ url: `${service.server.url}/v1`, entities: { person } });
  return {
    target,
    entity: 'person',
    title: 'profile.title',
    unique: 'userName',
    id: (name) => `person/${name}`,
    attributes: (name, title = 'first') => ({ userName: [name], 'profile.title': [title] }),
    async titles(name) {
      const user = service.user(name);
      if (user === undefined) return undefined;
      const title = JSON.parse(JSON.stringify(user)).profile?.title;
      return title === undefined ? [] : [title];
    },
    async close() {
      await target.close();
      await service.server.close();
    },
  };
});
