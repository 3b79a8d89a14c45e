/** The `scim` target: services that speak SCIM 2.0 (RFC 7643, 7644). */
import type { ScimConfig } from '../../config/scim.ts';
import { requireTime } from '../deadline.ts';
import { sameValues } from '../same-values.ts';
import type { Address, Applied, Change, Health, Match, Password, RemoteState, Target, Value } from '../target.ts';
import { isSuccess, misdirected, unreadable } from './answer.ts';
import { known } from './attribute-type.ts';
import { Bulk } from './bulk.ts';
import type { Description } from './description.ts';
import { isList } from './listing.ts';
import type { Place, Types } from './place.ts';
import { Reader } from './reader.ts';
import { asideOf, normaliseRemoteId } from './remote-id.ts';
import { Service } from './service.ts';
import { placeIn } from './shape.ts';
import { comparable } from './value.ts';
import { Writer } from './writer.ts';

export class ScimTarget implements Target {
  readonly #service: Service;
  readonly #reader: Reader;
  readonly #writer: Writer;
  /** How attributes are compared, by what the service said of itself. */
  #places: { readonly description: Description | undefined; readonly byName: Map<string, Place> } = {
    description: undefined,
    byName: new Map(),
  };

  /** `folder`: where relative file names of the configuration begin. Connects only when it is asked something. */
  constructor(config: ScimConfig, folder: string) {
    this.#service = new Service(config, folder);
    this.#reader = new Reader(this.#service);
    const bulk = new Bulk(this.#service);
    this.#writer = new Writer(this.#service, this.#reader, (request, signal) => bulk.send(request, signal));
  }

  /** Asks what the service is, and for one resource of each type: that needs no right, this does. */
  async ping(signal: AbortSignal): Promise<Health> {
    requireTime(signal);
    this.#service.refresh();
    this.#reader.forget();
    const { offers, resource } = await this.#service.describe();
    const types = [...new Set(Object.values(this.#service.config.entities).map((mapping) => mapping.resource))];
    for (const name of types) {
      const what = `look whether there are ${name} resources`;
      const query = { count: '1' };
      const answer = await this.#service.send({ method: 'GET', path: resource(name).endpoint, query, what }, signal);
      if (!isSuccess(answer)) throw misdirected(answer, what);
      if (!isList(answer.document)) throw unreadable(answer, what, 'list of resources');
    }
    return { summary: `SCIM at ${this.#service.identity}: ${offers}`, identity: this.#service.identity };
  }

  expect(identity: string | undefined): void {
    this.#service.expect(identity);
  }

  async apply(change: Change, signal: AbortSignal): Promise<Applied> {
    requireTime(signal);
    this.normalise(change.remoteId);
    switch (change.operation) {
      case 'create':
        return this.#writer.create(change, signal);
      case 'update':
        if (change.renameTo !== undefined) this.normalise(change.renameTo);
        return this.#writer.update(change, signal);
      case 'remove':
        return this.#writer.remove(change, signal);
    }
  }

  async setPassword(
    entry: Address & { readonly entity: string },
    { next }: Password,
    signal: AbortSignal,
  ): Promise<void> {
    requireTime(signal);
    return this.#writer.setPassword(entry, next, signal);
  }

  /** By the configuration, whatever the service's schema says: this text is stored. */
  normalise(remoteId: string): string {
    return normaliseRemoteId(remoteId, this.#service.config);
  }

  /** Ids are opaque, and know case. */
  normaliseReference(value: string): string {
    return value;
  }

  same(attribute: string, left: readonly Value[], right: readonly Value[]): boolean {
    const place = this.#place(attribute);
    return sameValues(left, right, (value) => comparable(value, place));
  }

  aside(remoteId: string, key: string): string {
    return asideOf(remoteId, key);
  }

  find(
    matches: readonly Match[],
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, RemoteState[]>> {
    return this.#reader.find(matches, attributes, signal);
  }

  async read(entry: Address, attributes: readonly string[], signal: AbortSignal): Promise<RemoteState | undefined> {
    return this.#reader.read(entry, attributes, signal);
  }

  scan(entity: string, attributes: readonly string[], signal: AbortSignal): AsyncIterable<RemoteState> {
    return this.#reader.scan(entity, attributes, signal);
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  #place(attribute: string): Place {
    const { known: description } = this.#service;
    if (this.#places.description !== description) this.#places = { description, byName: new Map() };
    const { byName } = this.#places;
    const place = byName.get(attribute) ?? this.#compared(attribute);
    byName.set(attribute, place);
    return place;
  }

  /** An attribute by what the service said of it, or by what everybody knows; where two types differ, the stricter. */
  #compared(attribute: string): Place {
    const mappings = Object.values(this.#service.config.entities);
    const own = mappings.filter(({ attributes }) => Object.hasOwn(attributes, attribute));
    const places = own.map(({ resource, attributes }) =>
      placeIn(attributes[attribute], attribute, this.#types(resource)),
    );
    const [first = placeIn(undefined, attribute, blank)] = places;
    return places.find(({ caseExact }) => caseExact) ?? first;
  }

  #types(resource: string): Types {
    return this.#service.known?.resource(resource).types ?? blank;
  }
}

/** Of services that were not asked yet. */
const blank: Types = { schema: '', bySchema: new Map(), known };
