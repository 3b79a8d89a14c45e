/**
 * A SCIM service with users and groups in memory: scimmy's routers on Express, as anybody could write one. A program of its
 * own, so that it does not share a thread with the daemon: listens on 127.0.0.1 at PORT, and asks for the bearer token
 * TOKEN.
 */
import { randomUUID } from 'node:crypto';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

interface Question<T> {
  readonly id?: string;
  readonly filter?: { match(all: T[]): T[] };
}

/** Resources of one type. `nameOf`: what no two may share, whatever the case. */
class Shelf<T extends object> {
  readonly #nameOf: (resource: T) => string | undefined;
  readonly #resources = new Map<string, T>();
  readonly #ids = new Map<string, string>();

  constructor(nameOf: (resource: T) => string | undefined) {
    this.#nameOf = (resource) => nameOf(resource)?.toLowerCase();
  }

  write({ id = randomUUID() }: Question<T>, instance: T): T & { readonly id: string } {
    const name = this.#nameOf(instance) ?? '';
    if ((this.#ids.get(name) ?? id) !== id) throw new SCIMMY.Types.Error(409, 'uniqueness', `${name} is taken`);
    const former = this.#resources.get(id);
    if (former) this.#ids.delete(this.#nameOf(former) ?? '');
    const resource = { ...instance, id };
    this.#ids.set(name, id);
    this.#resources.set(id, resource);
    return resource;
  }

  show({ id, filter }: Question<T>): T | T[] {
    if (id !== undefined && id !== '') return this.#get(id);
    const all = [...this.#resources.values()];
    return filter ? filter.match(all) : all;
  }

  remove({ id = '' }: Question<T>): void {
    this.#ids.delete(this.#nameOf(this.#get(id)) ?? '');
    this.#resources.delete(id);
  }

  #get(id: string): T {
    const resource = this.#resources.get(id);
    if (resource === undefined) throw new SCIMMY.Types.Error(404, '', `there is no resource ${id}`);
    return resource;
  }
}

const { User, Group } = SCIMMY.Resources;
const users = new Shelf<InstanceType<typeof SCIMMY.Schemas.User>>(({ userName }) => userName);
const groups = new Shelf<InstanceType<typeof SCIMMY.Schemas.Group>>(({ displayName }) => displayName);
SCIMMY.Resources.declare(User.extend(SCIMMY.Schemas.EnterpriseUser, false))
  .ingress((question, instance) => users.write(question, instance))
  .egress((question) => users.show(question))
  .degress((question) => users.remove(question));
SCIMMY.Resources.declare(Group)
  .ingress((question, instance) => groups.write(question, instance))
  .egress((question) => groups.show(question))
  .degress((question) => groups.remove(question));

const { PORT, TOKEN } = process.env;
const routers = new SCIMMYRouters({
  type: 'bearer',
  handler: (request) => {
    if (TOKEN === undefined || request.header('authorization') !== `Bearer ${TOKEN}`) throw new Error('not your token');
    return 'staffetta';
  },
});
const app = express();
// Express 5 makes the query anew each time it is read; the routers turn its numbers into numbers, and want to keep them.
app.use((request, _response, next) => {
  Object.defineProperty(request, 'query', { value: { ...request.query }, writable: true });
  next();
});
app.use('/scim/v2', express.json({ type: ['application/scim+json', 'application/json'], limit: '10mb' }), routers);
app.listen(Number(PORT), '127.0.0.1');
