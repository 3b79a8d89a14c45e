/** A service that is told, and cannot be asked: whatever is in doubt is told again. */
import { createWebServer, type Reply } from '../../setup/web-server.ts';
import { type Bench, conformance } from '../conformance.ts';
import { createHttpTarget } from './bench.ts';

const person = {
  id: '{uid}',
  attributes: {
    name: '{name}',
    title: '{title}',
    mails: { from: 'mails', as: 'list' },
    photo: { from: 'photo', as: 'bytes' },
  },
  operations: {
    save: { method: 'POST', path: '/saved', json: { id: '{id}', newId: '{newId}', person: '{document}' } },
    remove: { method: 'POST', path: '/removed', json: { id: '{id}' } },
    password: { method: 'POST', path: '/passwords', json: { id: '{id}', password: '{password}' } },
  },
};

async function createBench(): Promise<Bench> {
  const people = new Map<string, Record<string, unknown>>();
  const words = new Map<string, string>();
  let trouble: Reply | 'cut' | 'hang' | undefined;
  const server = await createWebServer(({ url, body }, response) => {
    if (trouble === 'hang') return undefined;
    if (trouble !== undefined && trouble !== 'cut') return trouble;
    const { id, newId = id, person: document, password } = JSON.parse(body || '{}');
    if (url === '/saved') {
      people.delete(id);
      people.set(newId, document);
    } else if (url === '/removed') people.delete(id);
    else if (url === '/passwords') words.set(id, password);
    if (trouble !== 'cut') return { status: 204 };
    response.destroy();
    return undefined;
  });
  const target = createHttpTarget({ url: server.url, timeout: '1s', entities: { person } });
  const bring = (how: Reply | 'cut' | 'hang') => async () => {
    trouble = how;
    return {
      over: async () => {
        trouble = undefined;
      },
    };
  };
  const texts = (value: unknown): string[] => [value ?? []].flat().map(String);
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'name',
    id: (name) => `person/${name}`,
    attributes: (name, title = 'first') => ({ name: [name], title: [title] }),
    async titles(name) {
      const found = people.get(name);
      return found && texts(found.title);
    },
    several: 'mails',
    bytes: 'photo',
    async values(name, attribute) {
      const found = people.get(name);
      return found && texts(found[attribute]).map((value) => (attribute === 'photo' ? { base64: value } : value));
    },
    login: async (name, password) => words.get(name) === password,
    bring: {
      unavailable: bring({ status: 500 }),
      misconfigured: bring({ status: 403 }),
      rejected: bring({ status: 400 }),
    },
    loseAnswer: bring('cut'),
    hang: bring('hang'),
    without: {
      rename: 'the service is told of the new id, and looks at no other',
      exists: 'the service is told the same of a new entry and one that is there',
      gone: 'the service is told the same of a new entry and one that is there',
      'stable id': 'the service gives none',
      references: 'members come and go among those that are read',
      converged: 'the service tells no such thing',
      dependency: 'the service tells no such thing',
      'one-sided': 'the service tells no such thing',
      unknown: 'the service tells no such thing',
    },
    async close() {
      await target.close();
      await server.close();
    },
  };
}

conformance('http that cannot be asked', createBench);
