/**
 * A SCIM service for tests and the demo: scimmy's routers on Express, over a store in memory, with a front that can be told
 * to behave as real services do, or to fail.
 *
 * What scimmy leaves out and the front adds, by other means than the product's own: versions (ETag, If-Match), pages by
 * cursor, and numbers in the query, which Express 5 no longer keeps as scimmy-routers 1.3 writes them there.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';
import { Front } from './front.ts';
import type { Quirk } from './quirk.ts';
import { type Resource, Store } from './store.ts';

/** A request as the service saw it. */
export interface Asked {
  readonly method: string;
  /** Below the base URL, with the query. */
  readonly path: string;
  readonly body: unknown;
}

export interface ScimServer {
  readonly url: string;
  /** The bearer token that it asks for. */
  readonly token: string;
  /** What it holds, whatever it would show. */
  users(): Resource[];
  groups(): Resource[];
  /** Every request so far, those that were refused, too. */
  readonly asked: Asked[];
  /** From now on it behaves so; `false`: no longer. */
  behave(quirk: Quirk, on?: boolean): void;
  /** The next so many requests are refused for being too many; come again after so many seconds. */
  limit(requests: number, retryAfter: number): void;
  /** After so many more changes, one is refused. */
  failAfter(changes: number): void;
  /** What happens right after the next resource was shown. */
  meanwhile(action: () => void): void;
  /** Writes as another client would. */
  put(type: 'User' | 'Group', resource: object, id?: string): Resource;
  /** Removes as another client would. */
  drop(id: string): void;
  close(): Promise<void>;
}

interface Context {
  readonly users: Store;
  readonly groups: Store;
}

/** The library keeps its resource types for the whole process: which store is meant comes with each request. */
function declare(): void {
  if (SCIMMY.Resources.declared('User')) return;
  const { User, Group } = SCIMMY.Resources;
  SCIMMY.Resources.declare(User.extend(SCIMMY.Schemas.EnterpriseUser, false))
    .ingress((resource, instance, { users }) => users.write(resource.id, instance))
    .egress((resource, { users }) => users.shown(resource))
    .degress((resource, { users }) => users.remove(resource.id));
  SCIMMY.Resources.declare(Group)
    .ingress((resource, instance, { groups }) => groups.write(resource.id, instance))
    .egress((resource, { groups }) => groups.shown(resource))
    .degress((resource, { groups }) => groups.remove(resource.id));
}

/** Starts a service on a free port of this machine. */
export async function startScimServer(): Promise<ScimServer> {
  declare();
  const token = randomUUID();
  const stores: Context = { users: new Store('userName'), groups: new Store(undefined) };
  const front = new Front([stores.users, stores.groups]);
  const routers = new SCIMMYRouters({
    type: 'bearer',
    handler: (request) => {
      if (request.header('authorization') !== `Bearer ${token}`) throw new Error('the token is not right');
      return 'staffetta';
    },
    context: () => stores,
  });
  const app = express();
  app.use(
    '/scim/v2',
    express.json({ type: ['application/scim+json', 'application/json'], limit: '10mb' }),
    front.handle,
    routers,
  );
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/scim/v2`,
    token,
    users: () => stores.users.all(),
    groups: () => stores.groups.all(),
    asked: front.asked,
    behave: (quirk, on = true) => front.behave(quirk, on),
    limit: (requests, retryAfter) => front.limit(requests, retryAfter),
    failAfter: (changes) => front.failAfter(changes),
    meanwhile: (action) => front.meanwhile(action),
    put: (type, resource, id) => (type === 'User' ? stores.users : stores.groups).write(id, resource),
    drop: (id) => [stores.users, stores.groups].find((store) => store.version(id) !== undefined)?.remove(id),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
