/** The resources of a SCIM service, in memory: what the library leaves to whoever uses it. */
import { randomUUID } from 'node:crypto';
import SCIMMY from 'scimmy';

export interface Resource {
  readonly id: string;
  readonly [name: string]: unknown;
}

export class Store {
  readonly #unique: string | undefined;
  readonly #resources = new Map<string, Resource>();
  #version = 0;

  /** `unique`: the attribute of which no two resources may have the same value. */
  constructor(unique: string | undefined) {
    this.#unique = unique;
  }

  all(): Resource[] {
    return [...this.#resources.values()];
  }

  /** What is asked for: one resource, or those that a filter lets through. */
  shown({ id, filter }: { id?: string; filter?: { match(all: Resource[]): Resource[] } }): Resource | Resource[] {
    if (id) return this.get(id);
    return filter ? filter.match(this.all()) : this.all();
  }

  get(id: string): Resource {
    const resource = this.#resources.get(id);
    if (!resource) throw new SCIMMY.Types.Error(404, '', `Resource ${id} not found`);
    return resource;
  }

  /** Creates a resource, or replaces the one with an id; what is never shown (`password`) stays unless it is given. */
  write(id: string | undefined, instance: object): Resource {
    const former = id === undefined ? undefined : this.get(id);
    const given: Readonly<Record<string, unknown>> = JSON.parse(JSON.stringify({ ...instance })); // as JSON, it hides its password
    this.#assertFree(given, id);
    const own = id ?? randomUUID();
    this.#version += 1;
    const { members, password = former?.password } = given;
    const resource = {
      ...given,
      ...(Array.isArray(members) ? { members: distinct(members) } : {}),
      ...(password === undefined ? {} : { password }),
      id: own,
      meta: {
        version: `W/"${this.#version}"`,
        created: new Date().toISOString(),
        lastModified: new Date().toISOString(),
      },
    };
    this.#resources.set(own, resource);
    return resource;
  }

  remove(id: string): void {
    this.get(id);
    this.#resources.delete(id);
  }

  version(id: string): string | undefined {
    const meta = this.#resources.get(id)?.meta;
    return typeof meta === 'object' && meta !== null && 'version' in meta ? String(meta.version) : undefined;
  }

  #assertFree(given: Readonly<Record<string, unknown>>, own: string | undefined): void {
    const name = this.#unique;
    if (name === undefined) return;
    const text = String(given[name]).toLowerCase();
    const other = this.all().find((resource) => resource.id !== own && String(resource[name]).toLowerCase() === text);
    if (other) throw new SCIMMY.Types.Error(409, 'uniqueness', `${name} ${given[name]} is taken`);
  }
}

function distinct(members: readonly unknown[]): unknown[] {
  return [...new Map(members.map((member) => [JSON.stringify(member), member])).values()];
}
