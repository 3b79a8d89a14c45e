/**
 * A REST service of a test, written without any code of ours: users and groups in memory, with ids of its own, unique
 * names, merge patches, pages and a filter. `before` may answer in its place.
 */
import { type Asked, createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';

export interface Entry {
  readonly id: string;
  [name: string]: unknown;
}

export interface RestService {
  readonly server: WebServer;
  readonly users: Map<string, Entry>;
  readonly groups: Map<string, Entry>;
  /** Answers before the service does; undefined: the service does. */
  before: (asked: Asked) => Reply | undefined | Promise<Reply | undefined>;
  /** Called when the service has done what it was asked; what it answers goes out instead. `cut`: nothing does. */
  after: (asked: Asked, reply: Reply) => Reply | 'cut';
  user(name: string): Entry | undefined;
}

const pageSize = 5;

export async function createRestService(): Promise<RestService> {
  let number = 0;
  const stores: Readonly<Record<string, { entries: Map<string, Entry>; name: string }>> = {
    users: { entries: new Map(), name: 'userName' },
    groups: { entries: new Map(), name: 'name' },
  };
  const json = (status: number, body?: unknown, headers = {}): Reply => ({
    status,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

  function answer({ method, url, body }: Asked): Reply {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const [, , kind = '', segment] = pathname.split('/');
    const store = stores[kind];
    if (!pathname.startsWith('/v1/') || store === undefined) return json(404, { error: 'no such collection' });
    const { entries, name } = store;
    const given = body === '' ? {} : JSON.parse(body);
    const isTaken = (wanted: unknown, own?: string) =>
      [...entries.values()].some((entry) => entry[name] === wanted && entry.id !== own);
    if (segment === undefined) {
      if (method === 'POST') {
        if (typeof given[name] !== 'string') return json(422, { error: `${name} is missing` });
        if (isTaken(given[name])) return json(409, { error: `${name} is taken` });
        const entry: Entry = { ...given, id: `i${++number}` };
        entries.set(entry.id, entry);
        return json(201, entry, { location: `/v1/${kind}/${entry.id}` });
      }
      const all = [...entries.values()].filter((entry) =>
        [...searchParams].every(([key, value]) => key === 'page' || String(entry[key]) === value),
      );
      const page = Number(searchParams.get('page') ?? '1');
      const items = all.slice((page - 1) * pageSize, page * pageSize);
      return json(200, { items, total: all.length });
    }
    const entry = entries.get(decodeURIComponent(segment));
    if (entry === undefined) return json(404, { error: 'not found' });
    switch (method) {
      case 'GET':
        return json(200, entry);
      case 'DELETE':
        entries.delete(entry.id);
        return json(204);
      case 'PATCH': {
        const next = merge(entry, given);
        if (isTaken(next[name], entry.id)) return json(409, { error: `${name} is taken` });
        entries.set(entry.id, { ...next, id: entry.id });
        return json(200, next);
      }
      default:
        return json(405);
    }
  }

  const service: Omit<RestService, 'server'> = {
    users: stores.users?.entries ?? new Map(),
    groups: stores.groups?.entries ?? new Map(),
    before: () => undefined,
    after: (_, reply) => reply,
    user: (name) => [...service.users.values()].find(({ userName }) => userName === name),
  };
  const server = await createWebServer(async (asked, response) => {
    const early = await service.before(asked);
    if (early) return early;
    const reply = service.after(asked, answer(asked));
    if (reply !== 'cut') return reply;
    response.destroy();
    return undefined;
  });
  return Object.assign(service, { server });
}

/** RFC 7396, as its §2 has it. */
function merge(target: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (isObject(value)) {
      const inner = result[name];
      result[name] = merge(isObject(inner) ? inner : {}, value);
    } else result[name] = value;
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
