/** How the resources of a type look: what the mapping says of them, with what the service says. */
import type { ScimMapping } from '../../config/scim.ts';
import { printScimPath } from '../../config/scim-path.ts';
import type { Document } from '../document.ts';
import type { RemoteState } from '../target.ts';
import type { ResourceType } from './description.ts';
import { textIn } from './json.ts';
import { type Place, placeOf, type Types, typeOf } from './place.ts';
import { normaliseName, remoteIdOf } from './remote-id.ts';
import { valuesAt } from './resource.ts';

export class Shape {
  readonly type: ResourceType;
  /** Where the name of a resource stands, compared as the configuration says. */
  readonly naming: Place;
  readonly #mappings: readonly ScimMapping[];
  readonly #places = new Map<string, Place>();

  /** `mappings`: those of the entities that are resources of this type; they agree on the naming attribute. */
  constructor(type: ResourceType, mappings: readonly ScimMapping[]) {
    this.type = type;
    this.#mappings = mappings;
    const [{ naming, caseSensitive } = { naming: 'displayName', caseSensitive: false }] = mappings;
    this.naming = { ...placeOf(naming, 'text', type.types), caseExact: caseSensitive };
  }

  /** The place of an attribute of the mapping. */
  place(name: string): Place {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = name === this.naming.name ? this.naming : placeIn(this.#attribute(name), name, this.type.types);
    this.#places.set(name, place);
    return place;
  }

  isReference(name: string): boolean {
    return this.#attribute(name)?.kind === 'reference';
  }

  isSecret(name: string): boolean {
    const attribute = this.#attribute(name);
    return (attribute !== undefined && attribute.kind !== 'reference' && attribute.secret) || /passw|pwd/i.test(name);
  }

  /** Whether the service lets no two resources have the same name; else nobody but us looks after that. */
  get namesAreUnique(): boolean {
    return typeOf(this.naming.path, this.type.types)?.unique ?? false;
  }

  /** What is asked for, to see attributes: each as a whole, for not every service shows parts of one. */
  query(names: readonly string[]): string[] {
    const places = [this.naming, ...names.map((name) => this.place(name))];
    const paths = places.map(({ path }) => printScimPath({ ...path, filter: [], sub: undefined }));
    return [...new Set(paths)];
  }

  /** A resource as the entry that it is. One without a name, of somebody else, has its id for it. */
  state(resource: Document, names: readonly string[]): RemoteState {
    const stableId = textIn(resource, 'id');
    const values = names.map((name) => [name, valuesAt(resource, this.place(name))] as const);
    return {
      remoteId: this.remoteId(this.nameOf(resource) ?? `?id=${stableId}`),
      ...(stableId === undefined ? {} : { stableId }),
      attributes: Object.fromEntries(values.filter(([, own]) => own.length > 0)),
    };
  }

  nameOf(resource: Document): string | undefined {
    const [name] = valuesAt(resource, this.naming);
    return typeof name === 'string' ? name : undefined;
  }

  remoteId(name: string): string {
    return remoteIdOf({ resource: this.type.name, name });
  }

  isSameName(one: string, other: string): boolean {
    return normaliseName(one, this.#mappings[0]) === normaliseName(other, this.#mappings[0]);
  }

  #attribute(name: string): ScimMapping['attributes'][string] | undefined {
    return this.#mappings.find(({ attributes }) => Object.hasOwn(attributes, name))?.attributes[name];
  }
}

/** The place of an attribute of a mapping. Ids are opaque, and know case, whatever a schema says. */
export function placeIn(attribute: ScimMapping['attributes'][string] | undefined, name: string, types: Types): Place {
  const place = placeOf(name, attribute?.as, types);
  return attribute?.kind === 'reference' ? { ...place, caseExact: true } : place;
}
