import { type Bench, conformance } from '../conformance.ts';
import { createHttpTarget } from './bench.ts';
import { createRestService, type Entry, type RestService } from './rest-service.ts';

const collection = (path: string, name: string) => ({
  create: { path, status: { 424: 'dependency', 418: 'unknown', 451: 'one-sided' } },
  update: { path: `${path}/{stableId}` },
  remove: { path: `${path}/{stableId}` },
  read: { path: `${path}/{stableId}` },
  find: { path, query: { [name]: `{${name}}`, title: '{title}' }, items: '/items', pages: { number: 'page' } },
  list: { path, items: '/items', total: '/total', pages: { number: 'page' } },
});

const person = {
  id: '{uid}',
  idPath: 'userName',
  stableId: '/id',
  attributes: {
    userName: '{uid}',
    title: '{title}',
    mails: { from: 'mails', as: 'list' },
    photo: { from: 'photo', as: 'bytes' },
  },
  operations: {
    ...collection('/users', 'userName'),
    password: { method: 'PATCH', path: '/users/{stableId}', json: { word: '{password}' } },
  },
};

const group = {
  id: '{name}',
  idPath: 'name',
  stableId: '/id',
  attributes: { name: '{name}', members: { ref: 'person', from: 'members' } },
  operations: collection('/groups', 'name'),
};

const texts = (value: unknown): string[] => [value ?? []].flat().map(String);

/** Has a service answer a status to every write until it is over. */
const refusing = (service: RestService, status: number) => async () => {
  service.before = ({ method }) => (method === 'GET' ? undefined : { status, body: 'because' });
  return { over: async () => service.calm() };
};

async function createBench(refersBy: 'remote id' | 'stable id'): Promise<Bench> {
  const service = await createRestService();
  const token = 'open-sesame-1234';
  const target = createHttpTarget({
    url: `${service.server.url}/v1`,
    auth: { type: 'bearer', token },
    timeout: '1s',
    refersBy,
    entities: { person, group },
  });
  const called = (entries: ReadonlyMap<string, Entry>, key: string, name: string) =>
    [...entries.values()].find((entry) => entry[key] === name);
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'userName',
    id: (name) => `person/${name}`,
    attributes: (name, title = 'first') => ({ userName: [name], title: [title] }),
    async titles(name) {
      const user = service.user(name);
      return user && texts(user.title);
    },
    several: 'mails',
    bytes: 'photo',
    async values(name, attribute) {
      const user = service.user(name);
      return user && texts(user[attribute]).map((value) => (attribute === 'photo' ? { base64: value } : value));
    },
    login: async (name, password) => service.user(name)?.word === password,
    references: {
      entity: 'group',
      attribute: 'members',
      ...(refersBy === 'stable id' ? { by: refersBy } : {}),
      id: (name) => `group/${name}`,
      attributes: (name) => ({ name: [name] }),
      async members(name) {
        const members = called(service.groups, 'name', name)?.members;
        return texts(members).map((member) => (refersBy === 'stable id' ? member : `person/${member}`));
      },
    },
    secrets: [token],
    bring: {
      unavailable: refusing(service, 503),
      misconfigured: refusing(service, 401),
      rejected: refusing(service, 422),
      converged: refusing(service, 412),
      dependency: refusing(service, 424),
      unknown: refusing(service, 418),
      'one-sided': refusing(service, 451),
    },
    loseAnswer: async () => {
      service.after = ({ method }, reply) => (method === 'GET' ? reply : 'cut');
      return { over: async () => service.calm() };
    },
    hang: async () => {
      service.before = () => new Promise(() => {});
      return { over: async () => service.calm() };
    },
    async close() {
      await target.close();
      await service.server.close();
    },
  };
}

conformance('http', () => createBench('remote id'));
conformance('http whose members stand under ids of the service', () => createBench('stable id'));
