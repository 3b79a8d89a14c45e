/**
 * Changes as the operations of a PATCH (RFC 7644 §3.5.2). Single values, and members one by one, are said as they are.
 * Of other lists the service is told what the whole list is to be, put together from the one that was read: what a path
 * with a filter does where nothing matches is a matter on which services differ.
 */
import { printScimPath, type ScimPath } from '../../config/scim-path.ts';
import { type Document, isDocument, type Json } from '../document.ts';
import type { AttributeChange, Value } from '../target.ts';
import { member } from './json.ts';
import type { Place } from './place.ts';
import { changedAll, singleJson } from './resource.ts';
import { jsonOf } from './value.ts';

export interface PatchOperation {
  readonly [name: string]: Json;
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
}

/** A change with the place that it is about. */
export interface Placed {
  readonly change: AttributeChange;
  readonly place: Place;
  /** Its values are SCIM ids of other resources. */
  readonly isReference: boolean;
}

/** Whether the resource has to be read before a change of it can be said. */
export function needsReading({ change, place, isReference }: Placed): boolean {
  if (place.multiValued) return !isReference;
  return change.action === 'delete' && !isReference;
}

/** The operations that change a resource: those that go into one request, then the members to be added and removed. */
export function operationsOf(placed: readonly Placed[], resource: Document | undefined): PatchOperation[] {
  const groups = Map.groupBy(
    placed.filter((item) => !isMembers(item)),
    ({ place }) => printScimPath(attributeIn(place.path)),
  );
  return [...groups.values()].flatMap((group) => operationsOfAttribute(group, resource));
}

/** Whether a change adds or removes members one by one, so that it may need many requests. */
export function isMembers({ change, place, isReference }: Placed): boolean {
  return isReference && place.multiValued && change.action !== 'replace';
}

function operationsOfAttribute(group: readonly Placed[], resource: Document | undefined): PatchOperation[] {
  const [first] = group;
  if (first === undefined) return [];
  if (resource !== undefined && group.some(needsReading)) return [wholeAttribute(first.place, group, resource)];
  // Of a single reference, what is removed makes way for what is added.
  const byPart = Map.groupBy(group, ({ place }) => printScimPath(pathOf(place)));
  return [...byPart].flatMap(([path, changes]) => {
    const { change, place, isReference } = changes.findLast(({ change: { action } }) => action !== 'delete') ?? first;
    const values = change.action === 'delete' ? [] : change.values;
    return [isReference && !place.multiValued ? reference(values, place) : replacement(path, values, place)];
  });
}

/** What else a reference says is said of somebody else, so that it is written as a whole. */
function reference([value]: readonly Value[], place: Place): PatchOperation {
  const path = printScimPath(attributeIn(place.path));
  return value === undefined ? { op: 'remove', path } : { op: 'replace', path, value: elementOf(value, place) };
}

function replacement(path: string, values: readonly Value[], place: Place): PatchOperation {
  if (values.length === 0) return { op: 'remove', path };
  if (place.multiValued) return { op: 'replace', path, value: values.map((value) => elementOf(value, place)) };
  return { op: 'replace', path, value: singleJson(values, place) };
}

/** An attribute as a whole, as it is to be. */
function wholeAttribute({ path }: Place, group: readonly Placed[], resource: Document): PatchOperation {
  const next = changedAll(resource, group);
  const extension = path.schema === undefined ? next : member(next, path.schema);
  const value = isDocument(extension) ? member(extension, path.attribute) : undefined;
  const name = printScimPath(attributeIn(path));
  return value === undefined ? { op: 'remove', path: name } : { op: 'replace', path: name, value };
}

/** Where the values stand, in a path that an operation can name. */
function pathOf({ path, multiValued, part }: Place): ScimPath {
  return multiValued ? attributeIn(path) : { ...path, sub: part };
}

function attributeIn({ schema, attribute }: ScimPath): ScimPath {
  return { schema, attribute, filter: [], sub: undefined };
}

function elementOf(value: Value, place: Place): Json {
  const json = jsonOf(value, place);
  return place.part === undefined ? json : { [place.part]: json };
}

/** How members are removed: each by a filter in its path, or by a list of values. */
export type Removal = 'filter' | 'value';

/** The requests that add and remove members: lists of operations about so many values each at most. */
export function memberOperations(placed: readonly Placed[], most: number, removal: Removal): PatchOperation[][] {
  return placed.filter(isMembers).flatMap(({ change: { action, values }, place }) => {
    const chunks = Array.from({ length: Math.ceil(values.length / most) }, (_, at) =>
      values.slice(at * most, (at + 1) * most),
    );
    return chunks.map((chunk) => (action === 'add' ? additions(chunk, place) : removals(chunk, place, removal)));
  });
}

function additions(values: readonly Value[], place: Place): PatchOperation[] {
  return [{ op: 'add', path: printScimPath(pathOf(place)), value: values.map((value) => elementOf(value, place)) }];
}

function removals(values: readonly Value[], place: Place, removal: Removal): PatchOperation[] {
  const path = attributeIn(place.path);
  const attribute = place.part ?? 'value';
  if (removal === 'value')
    return [{ op: 'remove', path: printScimPath(path), value: values.map((value) => elementOf(value, place)) }];
  return values.map((value) => {
    const text = typeof value === 'string' ? value : value.base64;
    return { op: 'remove', path: printScimPath({ ...path, filter: [{ attribute, value: text }] }) };
  });
}
