/** Resources by values that they have: many at once with one filter, or one by one, or among all that there are. */
import type { Document } from '../document.ts';
import type { Value } from '../target.ts';
import { refusal } from './answer.ts';
import { all, any, equals, inGroups } from './filter.ts';
import { FilterRefused, list } from './listing.ts';
import type { Place } from './place.ts';
import { valuesAt } from './resource.ts';
import type { Service } from './service.ts';
import type { Shape } from './shape.ts';
import { comparable } from './value.ts';

/** What a resource is recognised by. */
export interface Wanted {
  readonly key: string;
  readonly conditions: readonly { readonly place: Place; readonly value: Value }[];
}

/** What all of a lookup has in common. */
export interface Search {
  readonly shape: Shape;
  /** The attributes to be shown, beside those that are looked for; undefined: whatever the service shows. */
  readonly attributes: readonly string[] | undefined;
  /** What is being done, for messages. */
  readonly what: string;
}

export class Lookup {
  readonly #service: Service;
  /** Whether it takes one condition at a time only. */
  #oneByOne = false;

  constructor(service: Service) {
    this.#service = service;
  }

  /** Takes nothing for known any longer. */
  forget(): void {
    this.#oneByOne = false;
  }

  /** The resources that meet all conditions of what is wanted, by its key; none is missing. */
  async find(wanted: readonly Wanted[], search: Search, signal: AbortSignal): Promise<Map<string, Document[]>> {
    const { filter } = await this.#service.features();
    const groups = filter ? inGroups(wanted, filterOf) : [[...wanted]];
    const found = new Map<string, Document[]>();
    for (const group of groups) give(found, group, await this.#resources(group, search, filter, signal));
    // Not every service reads JSON's escapes in a filter: that it finds nothing then proves nothing.
    const doubtful = filter ? wanted.filter((one) => !found.has(one.key) && hasEscapes(one)) : [];
    if (doubtful.length > 0) give(found, doubtful, await this.#among(doubtful, search, signal));
    return found;
  }

  /** Resources among which those are that are wanted. */
  async #resources(
    group: readonly Wanted[],
    search: Search,
    filter: boolean,
    signal: AbortSignal,
  ): Promise<Document[]> {
    if (group.length === 0) return [];
    if (!filter) return this.#among(group, search, signal);
    if (group.length > 1 && this.#oneByOne) return this.#each(group, search, signal);
    try {
      return await this.#list(any(group.map(filterOf)), group, search, signal);
    } catch (error) {
      if (!(error instanceof FilterRefused)) throw error;
      if (group.length > 1) {
        this.#oneByOne = true;
        return this.#each(group, search, signal);
      }
      if (error.answer.status === 403) throw refusal(error.answer, search.what);
      if (error.answer.status === 501) this.#service.deny('filter');
      return this.#among(group, search, signal);
    }
  }

  async #each(group: readonly Wanted[], search: Search, signal: AbortSignal): Promise<Document[]> {
    const found: Document[] = [];
    for (const one of group) found.push(...(await this.#resources([one], search, true, signal)));
    return found;
  }

  /** Reads every resource, and keeps those that are wanted. */
  async #among(group: readonly Wanted[], search: Search, signal: AbortSignal): Promise<Document[]> {
    return this.#list(undefined, group, search, signal);
  }

  async #list(
    filter: string | undefined,
    group: readonly Wanted[],
    { shape, attributes, what }: Search,
    signal: AbortSignal,
  ): Promise<Document[]> {
    const names = group.flatMap(({ conditions }) => conditions.map(({ place }) => place.name));
    const shown = attributes && [...new Set([...attributes, ...shape.query(names)])];
    const query = { type: shape.type, attributes: shown, what, ...(filter === undefined ? {} : { filter }) };
    const isWanted = wantedBy(group);
    const found: Document[] = [];
    for await (const resources of list(this.#service, query, signal)) found.push(...resources.filter(isWanted));
    return found;
  }
}

/** Notes the resources that each of the wanted is recognised in. */
function give(found: Map<string, Document[]>, wanted: readonly Wanted[], resources: readonly Document[]): void {
  for (const { key, conditions } of wanted) {
    const own = resources.filter((resource) => conditions.every((condition) => meets(resource, condition)));
    if (own.length > 0) found.set(key, own);
  }
}

function hasEscapes({ conditions }: Wanted): boolean {
  return conditions.some(({ value }) => typeof value === 'string' && JSON.stringify(value) !== `"${value}"`);
}

function filterOf({ conditions }: Wanted): string {
  return all(conditions.map(({ place, value }) => equals(place, value)));
}

/** Whether somebody wants a resource: judged by values, for a list of all may be long. */
function wantedBy(group: readonly Wanted[]): (resource: Document) => boolean {
  const places = new Map(
    group.flatMap(({ conditions }) => conditions.map(({ place }) => [place.name, place] as const)),
  );
  const values = new Set(
    group.flatMap(({ conditions }) =>
      conditions.map(({ place, value }) => `${place.name} ${comparable(value, place)}`),
    ),
  );
  return (resource) =>
    [...places.values()].some((place) =>
      valuesAt(resource, place).some((value) => values.has(`${place.name} ${comparable(value, place)}`)),
    );
}

function meets(resource: Document, { place, value }: Wanted['conditions'][number]): boolean {
  const text = comparable(value, place);
  return valuesAt(resource, place).some((other) => comparable(other, place) === text);
}
