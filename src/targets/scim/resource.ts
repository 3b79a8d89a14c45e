/** A resource as a document: what it has in a place, and the document that has something else there. */
import { isSameName } from '../../config/scim-path.ts';
import { type Document, isDocument, type Json } from '../document.ts';
import { type AttributeChange, TargetError, type Value } from '../target.ts';
import { member, withMember } from './json.ts';
import type { Place } from './place.ts';
import { comparable, jsonOf, textOf } from './value.ts';

/** The values that a resource has in a place. */
export function valuesAt(resource: Document, place: Place): Value[] {
  const found = member(holder(resource, place), place.path.attribute);
  const texts = elements(found, place)
    .filter((element) => place.path.filter.length === 0 || isMeant(element, place))
    .map((element) => textOf(inside(element, place), place.type));
  return [...new Set(texts.filter((text) => text !== undefined))].map((text) =>
    place.type === 'binary' ? { base64: text } : text,
  );
}

/** The resource after a change of what it has in a place. Throws `rejected` for a value that the place cannot hold. */
function changed(resource: Document, change: AttributeChange, place: Place): Document {
  const { path } = place;
  const within = holder(resource, place);
  const now = member(within, path.attribute);
  const next = place.multiValued ? listAfter(now, change, place) : singleAfter(now, change, place);
  const held = withMember(within, path.attribute, isEmpty(next) ? undefined : next);
  if (path.schema === undefined) return held;
  return withMember(resource, path.schema, Object.keys(held).length === 0 ? undefined : held);
}

/** The resource after several changes, in order. */
export function changedAll(
  resource: Document,
  changes: readonly { readonly change: AttributeChange; readonly place: Place }[],
): Document {
  return changes.reduce((document, { change, place }) => changed(document, change, place), resource);
}

/** What holds the attribute: the resource itself, or its extension (RFC 7643 §3.3). */
function holder(resource: Document, { path }: Place): Document {
  if (path.schema === undefined) return resource;
  const extension = member(resource, path.schema);
  return isDocument(extension) ? extension : {};
}

function elements(value: Json | undefined, { multiValued }: Place): Json[] {
  if (value === undefined || value === null) return [];
  if (!multiValued) return [value];
  return Array.isArray(value) ? value : [value];
}

/** What of an element the place is about. */
function inside(element: Json, { part }: Place): Json | undefined {
  if (part === undefined) return element;
  return isDocument(element) ? member(element, part) : undefined;
}

function isMeant(element: Json, { path }: Place): boolean {
  return isDocument(element) && path.filter.every(({ attribute, value }) => isEqual(member(element, attribute), value));
}

/** Texts in filters are compared without case, as those are that filters are about (`type`; RFC 7643 §2.4). */
function isEqual(one: Json | undefined, other: string | number | boolean): boolean {
  return typeof one === 'string' && typeof other === 'string' ? isSameName(one, other) : one === other;
}

function isEmpty(value: Json | undefined): boolean {
  if (isDocument(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Of a single value, `add` replaces it. */
function singleAfter(now: Json | undefined, change: AttributeChange, place: Place): Json | undefined {
  const value = singleValue(now, change, place);
  if (place.part === undefined) return value;
  return withMember(isDocument(now) ? now : {}, place.part, value);
}

function singleValue(now: Json | undefined, { action, values }: AttributeChange, place: Place): Json | undefined {
  const current = isEmpty(now) || now === undefined ? undefined : inside(now, place);
  if (values.length === 0) return action === 'replace' ? undefined : current;
  if (action !== 'delete') return singleJson(values, place);
  const text = textOf(current, place.type);
  const given = new Set(values.map((other) => comparable(other, place)));
  return text !== undefined && given.has(comparable(text, place)) ? undefined : current;
}

/** What stands in a place that holds one value. Throws `rejected` for several, and for one that it cannot hold. */
export function singleJson(values: readonly Value[], place: Place): Json {
  const [value, ...more] = values;
  if (value === undefined || more.length > 0) throw several(place, values.length);
  return jsonOf(value, place);
}

function several({ name }: Place, count: number): TargetError {
  const message = `attribute ${name} has ${count} values, expected one; several go \`as: list\` where no schema says so`;
  return new TargetError('rejected', message);
}

/** Elements that stay keep what others gave them: a type, a display name. */
function listAfter(now: Json | undefined, { action, values }: AttributeChange, place: Place): Json[] {
  const all = elements(now, place);
  const key = (element: Json) => {
    const text = textOf(inside(element, place), place.type);
    return text === undefined ? undefined : comparable(text, place);
  };
  const given = new Map(values.map((value) => [comparable(value, place), value]));
  const isOurs = (element: Json) => place.path.filter.length === 0 || isMeant(element, place);
  const there = new Set(all.filter(isOurs).map(key));
  const lacking = [...given].filter(([text]) => !there.has(text)).map(([, value]) => jsonOf(value, place));
  const has = (element: Json) => given.has(key(element) ?? '');
  if (action === 'add') return appended(all, lacking, place);
  const goes = (element: Json) => isOurs(element) && (action === 'delete' ? has(element) : !has(element));
  if (action === 'delete') return without(all, goes, place);
  return replaced(all, goes, lacking, place);
}

/** What goes makes way for what comes, element for element, so that the rest of an element is kept. */
function replaced(all: readonly Json[], goes: (element: Json) => boolean, lacking: Json[], place: Place): Json[] {
  const coming = [...lacking];
  const next = all.map((element) => {
    if (place.path.filter.length === 0 || !goes(element)) return element;
    const value = coming.shift();
    return value === undefined ? element : filled(element, value, place);
  });
  return appended(without(next, goes, place), coming, place);
}

function filled(element: Json, value: Json, { part }: Place): Json {
  return part !== undefined && isDocument(element) ? withMember(element, part, value) : value;
}

/** Without the values of some elements: nothing is left of one that only says which it was. */
function without(all: readonly Json[], goes: (element: Json) => boolean, { part, path }: Place): Json[] {
  return all.flatMap((element) => {
    if (!goes(element)) return [element];
    if (part === undefined || !isDocument(element) || isSameName(part, 'value')) return [];
    const rest = withMember(element, part, undefined);
    const says = Object.keys(rest).some((name) => !path.filter.some(({ attribute }) => isSameName(attribute, name)));
    return says ? [rest] : [];
  });
}

/** With more values, each in an element of its own; one that is to be the primary one is the only such (RFC 7643 §2.4). */
function appended(all: readonly Json[], values: readonly Json[], { part, path }: Place): Json[] {
  if (values.length === 0) return [...all];
  const says = Object.fromEntries(path.filter.map(({ attribute, value }) => [attribute, value]));
  const added = values.map((value): Json => (part === undefined ? value : { ...says, [part]: value }));
  const isPrimary = path.filter.some(({ attribute, value }) => isSameName(attribute, 'primary') && value === true);
  const others = isPrimary ? all.map((element) => (isDocument(element) ? second(element) : element)) : all;
  return [...others, ...added];
}

function second(element: Document): Document {
  return member(element, 'primary') === true ? withMember(element, 'primary', false) : element;
}
