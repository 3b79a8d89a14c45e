/** Reading resources: one, those that match, all. */
import { type Document, isDocument } from '../document.ts';
import { mappingOf } from '../mapping-of.ts';
import { type Address, type Match, type RemoteState, TargetError } from '../target.ts';
import { isSuccess, refusal, unreadable } from './answer.ts';
import type { Description } from './description.ts';
import { member, textIn } from './json.ts';
import { list } from './listing.ts';
import { Lookup, type Wanted } from './lookup.ts';
import { parseRemoteId } from './remote-id.ts';
import type { Service } from './service.ts';
import { Shape } from './shape.ts';

/** A resource as it was read. */
export interface Read {
  readonly resource: Document;
  /** Its version, where the service has versions. */
  readonly etag: string | undefined;
}

export class Reader {
  readonly #service: Service;
  readonly #lookup: Lookup;
  /** By what the service said of itself. */
  readonly #shapes = new WeakMap<Description, Map<string, Shape>>();

  constructor(service: Service) {
    this.#service = service;
    this.#lookup = new Lookup(service);
  }

  /** Takes nothing for known any longer that the service was found to do. */
  forget(): void {
    this.#lookup.forget();
  }

  /** How resources of a type look, by what the service says now. */
  async shape(resource: string): Promise<Shape> {
    const description = await this.#service.describe();
    const shapes = this.#shapes.get(description) ?? new Map<string, Shape>();
    this.#shapes.set(description, shapes);
    const known = shapes.get(resource);
    if (known !== undefined) return known;
    const mappings = Object.values(this.#service.config.entities).filter((mapping) => mapping.resource === resource);
    const shape = new Shape(description.resource(resource), mappings);
    shapes.set(resource, shape);
    return shape;
  }

  async shapeOf(entity: string): Promise<Shape> {
    return this.shape(mappingOf(this.#service.config, entity).resource);
  }

  async read(
    { remoteId, stableId }: Address,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<RemoteState | undefined> {
    const { resource: type } = parseRemoteId(remoteId);
    const shape = await this.shape(type);
    const attributes = shape.query(names);
    const linked = stableId === undefined ? undefined : await this.get(shape, stableId, attributes, signal);
    const resource = linked?.resource ?? (await this.#named(shape, remoteId, attributes, signal));
    return resource && shape.state(resource, names);
  }

  /**
   * The resource with an id. `attributes`: what of it is wanted; undefined: all. Undefined where the service says that
   * there is none; whether it would show one that is there, only a list proves (`read`, `idOf`).
   */
  async get(
    shape: Shape,
    id: string,
    attributes: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<Read | undefined> {
    const what = `read ${shape.type.name} ${id}`;
    const answer = await this.#service.ask({ path: pathOf(shape, id), what }, attributes, signal);
    if (answer.status === 404 || answer.status === 410) return undefined;
    if (!isSuccess(answer)) throw refusal(answer, what);
    if (answer.document === undefined || member(answer.document, 'id') === undefined)
      throw unreadable(answer, what, 'resource');
    return { resource: answer.document, etag: answer.etag ?? versionIn(answer.document) };
  }

  /** The id of the resource with a name; undefined where it is proven that there is none. */
  async idOf(shape: Shape, remoteId: string, signal: AbortSignal): Promise<string | undefined> {
    const resource = await this.#named(shape, remoteId, shape.query([]), signal);
    const id = resource && member(resource, 'id');
    return typeof id === 'string' ? id : undefined;
  }

  async find(
    matches: readonly Match[],
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, RemoteState[]>> {
    const found = new Map<string, RemoteState[]>();
    for (const [entity, own] of Map.groupBy(matches, (match) => match.entity)) {
      const shape = await this.shapeOf(entity);
      const wanted = own.map(({ key, where }): Wanted => {
        const conditions = Object.entries(where).map(([name, value]) => ({ place: shape.place(name), value }));
        return { key, conditions };
      });
      const what = `look for ${shape.type.name} resources that match`;
      const search = { shape, attributes: shape.query(names), what };
      for (const [key, resources] of await this.#lookup.find(wanted, search, signal))
        found.set(
          key,
          resources.map((resource) => shape.state(resource, names)),
        );
    }
    return found;
  }

  async *scan(entity: string, names: readonly string[], signal: AbortSignal): AsyncGenerator<RemoteState> {
    const shape = await this.shapeOf(entity);
    const what = `list all ${shape.type.name} resources`;
    const query = { type: shape.type, attributes: shape.query(names), what };
    for await (const resources of list(this.#service, query, signal))
      for (const resource of resources) yield shape.state(resource, names);
  }

  async #named(
    shape: Shape,
    remoteId: string,
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<Document | undefined> {
    const { name } = parseRemoteId(remoteId);
    const what = `look for ${shape.type.name} ${name}`;
    const wanted = [{ key: name, conditions: [{ place: shape.naming, value: name }] }];
    const found = await this.#lookup.find(wanted, { shape, attributes, what }, signal);
    const [first, ...others] = found.get(name) ?? [];
    if (others.length === 0) return first;
    const message = `${what}: ${others.length + 1} resources have this ${shape.naming.name}; leave only one of them`;
    throw new TargetError('rejected', message);
  }
}

function versionIn(resource: Document): string | undefined {
  const meta = member(resource, 'meta');
  return isDocument(meta) ? textIn(meta, 'version') : undefined;
}

/** The path of a resource. */
export function pathOf(shape: Shape, id: string): string {
  return `${shape.type.endpoint}/${encodeURIComponent(id)}`;
}
