/** What stands before a SCIM service in tests: it has it behave otherwise than it would. */
import type { NextFunction, Request, Response } from 'express';
import type { Quirk } from './quirk.ts';
import type { Asked } from './server.ts';
import type { Store } from './store.ts';

type Body = Readonly<Record<string, unknown>>;

export class Front {
  readonly asked: Asked[] = [];
  readonly #stores: readonly Store[];
  readonly #quirks = new Set<Quirk>();
  #limited = { requests: 0, retryAfter: 0 };
  /** How many changes more are taken. */
  #changes = Number.POSITIVE_INFINITY;
  #meanwhile: (() => void) | undefined;

  constructor(stores: readonly Store[]) {
    this.#stores = stores;
  }

  behave(quirk: Quirk, on: boolean): void {
    if (on) this.#quirks.add(quirk);
    else this.#quirks.delete(quirk);
  }

  limit(requests: number, retryAfter: number): void {
    this.#limited = { requests, retryAfter };
  }

  failAfter(changes: number): void {
    this.#changes = changes;
  }

  meanwhile(action: () => void): void {
    this.#meanwhile = action;
  }

  readonly handle = (request: Request, response: Response, next: NextFunction): void => {
    this.asked.push({ method: request.method, path: request.url, body: request.body });
    if (this.#has('hangs')) return;
    const refusal = this.#refusal(request);
    if (refusal) {
      const [status, detail, scimType] = refusal;
      if (status === 429) response.setHeader('Retry-After', this.#limited.retryAfter);
      const error = {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: String(status),
        detail,
        scimType,
      };
      response.status(status).json(error);
      return;
    }
    if (this.#has('web pages')) {
      response.type('html').send('<html>Welcome</html>');
      return;
    }
    const query = this.#numbered(request);
    Object.defineProperty(request, 'query', { value: query, writable: true });
    if (this.#loses(request))
      response.end = () => {
        response.socket?.destroy();
        return response;
      };
    this.#rewrite(request, response, query);
    next();
  };

  #has(quirk: Quirk): boolean {
    return this.#quirks.has(quirk);
  }

  #refusal({ method, path, query, body, headers }: Request): readonly [number, string, string?] | undefined {
    const { filter = '', cursor } = query;
    if (this.#limited.requests > 0) {
      this.#limited.requests -= 1;
      return [429, 'too many requests'];
    }
    if (method === 'PATCH' && this.#has('no PATCH')) return [501, 'PATCH is not implemented'];
    if (method === 'PATCH' && this.#has('PATCH promised')) return [405, 'PATCH is not allowed'];
    if (method === 'PUT' && this.#has('no PUT')) return [405, 'PUT is not allowed'];
    if (this.#has('no discovery') && /^\/(ServiceProviderConfig|ResourceTypes|Schemas)/.test(path))
      return [404, 'no such page'];
    if (filter !== '' && this.#has('no filters')) return [501, 'filters are not implemented'];
    if (String(filter).includes(' or ') && this.#has('no or')) return [400, 'or is not supported', 'invalidFilter'];
    if (method === 'GET' && this.#has('cursors') && 'startIndex' in query)
      return [400, 'no pages by number', 'invalidValue'];
    if (method === 'GET' && !this.#has('cursors') && cursor !== undefined) return [400, 'no cursors', 'invalidCursor'];
    if (method !== 'GET' && this.#has('read only')) return [403, 'not allowed'];
    if (method === 'DELETE' && this.#has('in use')) return [409, 'in use'];
    if (method !== 'GET' && this.#has('stale') && headers['if-match'] !== undefined) return [412, 'it has changed'];
    if (path === '/Bulk' && this.#has('bulk refused')) return [413, 'too large'];
    if (method !== 'GET' && this.#changes-- === 0) return [400, 'not any more', 'invalidValue'];
    if (this.#has('members of 100') && membersIn(body) > 100) return [400, 'more than 100 members', 'tooMany'];
    if (this.#has('repeats passwords') && method !== 'GET')
      return [400, `not good enough: ${JSON.stringify(body)}`, 'invalidValue'];
    const version = this.#version(path);
    if (this.#has('versions') && method !== 'GET' && version !== undefined) {
      if (headers['if-match'] !== undefined && headers['if-match'] !== version) return [412, 'it has changed'];
    }
    return undefined;
  }

  #version(path: string): string | undefined {
    const id = path.split('/').at(-1) ?? '';
    return this.#stores.map((store) => store.version(id)).find((version) => version !== undefined);
  }

  /** The query as scimmy-routers expects it; a cursor is where to go on. */
  #numbered({ query }: Request): Readonly<Record<string, unknown>> {
    const { cursor, startIndex, count, ...rest } = query;
    const start = cursor === undefined ? startIndex : cursor === '' ? 1 : String(cursor).replace('after-', '');
    return {
      ...rest,
      ...(start === undefined ? {} : { startIndex: this.#has('same page') ? 1 : Number(start) }),
      ...(count === undefined ? {} : { count: Number(count) }),
    };
  }

  #loses({ method }: Request): boolean {
    if (method !== 'GET' && this.#has('lost answers')) return true;
    const quirk = method === 'POST' ? 'lost create' : 'lost change';
    return (method === 'POST' || method === 'PATCH') && this.#quirks.delete(quirk);
  }

  #rewrite(request: Request, response: Response, query: Readonly<Record<string, unknown>>): void {
    const send = response.send.bind(response);
    response.send = (body?: unknown) => {
      if (typeof body !== 'object' || body === null) return send(body);
      response.send = send;
      const plain: Body = JSON.parse(JSON.stringify(body));
      const { id } = plain;
      const version = typeof id === 'string' ? this.#version(id) : undefined;
      if (this.#has('versions') && version !== undefined) response.setHeader('ETag', version);
      const action = this.#meanwhile;
      if (request.method === 'GET' && typeof id === 'string' && action) {
        this.#meanwhile = undefined;
        response.once('finish', action);
        const sent = send(plain);
        return sent;
      }
      return send(this.#changed(plain, request.path, query));
    };
  }

  #changed(body: Body, path: string, { startIndex = 1 }: Readonly<Record<string, unknown>>): Body {
    if (path === '/ServiceProviderConfig') return this.#provider(body);
    if ('scimType' in body && this.#has('no scimType')) return { ...body, scimType: undefined };
    const { Resources, totalResults, Operations } = body;
    if (Array.isArray(Operations) && this.#has('bulk cut short'))
      return { ...body, Operations: Operations.slice(0, 1) };
    if (!Array.isArray(Resources) || typeof totalResults !== 'number') return body;
    const next = Number(startIndex) + Resources.length;
    if (this.#has('cursors')) {
      const { startIndex: _, ...rest } = body;
      return { ...rest, ...(next <= totalResults ? { nextCursor: `after-${next}` } : {}) };
    }
    const isLater = startIndex !== 1;
    if (isLater && this.#has('empty page')) return { ...body, Resources: [] };
    if (isLater && this.#has('shrinking total')) return { ...body, totalResults: totalResults - 1 };
    return body;
  }

  #provider(body: Body): Body {
    return {
      ...body,
      ...(this.#has('no PATCH') ? { patch: { supported: false } } : {}),
      ...(this.#has('no filters') ? { filter: { supported: false } } : {}),
      ...(this.#has('versions') ? { etag: { supported: true } } : {}),
      ...(this.#has('cursors') ? { pagination: { cursor: true, index: false } } : {}),
      ...(this.#has('small bulk') ? { bulk: { supported: true, maxOperations: 3, maxPayloadSize: 2000 } } : {}),
    };
  }
}

/** How many members a request is about. */
function membersIn(body: unknown): number {
  const text = JSON.stringify(body ?? '');
  return text.includes('"members') ? text.split(/"value":"|members\[value eq /).length - 1 : 0;
}
