import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { addition } from './addition.ts';
import type { Counterpart, Told } from './counterpart.ts';
import { openProxy, type TcpProxy } from './proxy.ts';

/** What is kept of an entry. */
const document = z.looseObject({ id: z.string() });
type Document = z.output<typeof document>;

const place = /^\/(person|team)(?:\/([^/]+))?$/;

/**
 * A small web service with people and teams: POST makes an entry, PATCH changes it (RFC 7396), its id too, DELETE removes
 * it, GET reads one or, page by page, all. It does what it says at once, whether or not anybody still waits for the answer.
 */
export class Service implements Counterpart {
  readonly #entries = new Map<string, Map<string, Document>>([
    ['person', new Map()],
    ['team', new Map()],
  ]);
  readonly #server: Server;
  readonly #suffix: string;
  readonly proxy: TcpProxy;

  private constructor(server: Server, proxy: TcpProxy, suffix: string) {
    this.#server = server;
    this.proxy = proxy;
    this.#suffix = suffix;
  }

  /** `suffix`: of the directory that is made like it. */
  static async start(suffix: string): Promise<Service> {
    let service: Service | undefined;
    const server = createServer((request, response) => void service?.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the service has no port');
    service = new Service(server, await openProxy(`http://127.0.0.1:${address.port}`), suffix);
    return service;
  }

  get env(): Readonly<Record<string, string>> {
    return { SERVICE: this.proxy.url };
  }

  async told(): Promise<Told> {
    const people = [...(this.#entries.get('person')?.values() ?? [])].map((entry) => ({
      rdn: ['employeeNumber', entry.id],
      unit: 'ou=lists',
      attributes: {
        objectClass: 'inetOrgPerson',
        uid: entry.login,
        cn: entry.surname,
        sn: entry.surname,
        mail: entry.mail,
      },
    }));
    const teams = [...(this.#entries.get('team')?.values() ?? [])].map((entry) => ({
      rdn: ['ou', entry.id],
      unit: 'ou=names',
      attributes: { objectClass: 'organizationalUnit', businessCategory: entry.number, description: entry.members },
    }));
    const ldif = [...people, ...teams].map((entry) => addition(entry, this.#suffix)).join('\n');
    return { ldif: ldif === '' ? [] : [ldif], findings: [] };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await Array.fromAsync(request.setEncoding('utf8')).catch(() => undefined);
    if (!body) return; // it was cut off before it was all there
    const url = new URL(request.url ?? '/', 'http://service');
    const [, kind = '', id] = place.exec(url.pathname) ?? [];
    const entries = this.#entries.get(kind);
    const [status, answer] = entries
      ? respond(entries, request.method ?? '', id && decodeURIComponent(id), url.searchParams, body.join(''))
      : [404, undefined];
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer && JSON.stringify(answer));
  }
}

function respond(
  entries: Map<string, Document>,
  method: string,
  id: string | undefined,
  query: URLSearchParams,
  body: string,
): [status: number, answer?: object] {
  if (id === undefined)
    return method === 'POST' ? create(entries, document.parse(JSON.parse(body))) : list(entries, query);
  const entry = entries.get(id);
  if (!entry) return [404];
  switch (method) {
    case 'GET':
      return [200, entry];
    case 'DELETE':
      entries.delete(id);
      return [204];
    case 'PATCH': {
      const merged = Object.entries({ ...entry, ...JSON.parse(body) }).filter(([, value]) => value !== null);
      const next = document.parse(Object.fromEntries(merged));
      if (next.id !== id && entries.has(next.id)) return [409];
      entries.delete(id);
      entries.set(next.id, next);
      return [200, next];
    }
  }
  return [405];
}

function create(entries: Map<string, Document>, entry: Document): [status: number, answer?: object] {
  if (entries.has(entry.id)) return [409];
  entries.set(entry.id, entry);
  return [201, entry];
}

const page = 7;

/** `offset`: how many to leave out; any other parameter: what an attribute has to be. */
function list(entries: ReadonlyMap<string, Document>, query: URLSearchParams): [status: number, answer: object] {
  const { offset = '0', ...wanted } = Object.fromEntries(query);
  const found = [...entries.values()].filter((entry) =>
    Object.entries(wanted).every(([name, value]) => entry[name] === value),
  );
  const from = Number(offset);
  return [
    200,
    { total: found.length, items: found.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(from, from + page) },
  ];
}
