/** A change of an entry as JSON has it: what is put in place of what (RFC 7396), or step by step (RFC 6902). */
import type { Form } from '../../config/document-attribute.ts';
import { type Document, type Json, jsonOf, put } from '../document.ts';
import type { AttributeChange, Attributes, Value } from '../target.ts';
import { pointerOf } from './pointer.ts';

/** Attribute → how it stands in the document. */
export type Forms = ReadonlyMap<string, Form>;

/** The document of an entry: what has no value is left out. */
export function documentOf(attributes: Attributes, forms: Forms): Document {
  let document: Document = {};
  for (const [path, as] of forms) {
    const value = jsonOf(path, attributes[path] ?? [], as);
    if (value !== undefined) document = put(document, path.split('.'), value);
  }
  return document;
}

/** The attributes of an update as they will be: `before` with the changes made. */
export function changedIn(changes: readonly AttributeChange[], before: Attributes): Attributes {
  const after = new Map<string, readonly Value[]>();
  for (const { attribute, action, values } of changes) {
    const present = after.get(attribute) ?? before[attribute] ?? [];
    const named = new Set(values.map((value) => JSON.stringify(value)));
    const others = present.filter((value) => !named.has(JSON.stringify(value)));
    const kept = action === 'replace' ? [] : others;
    after.set(attribute, action === 'delete' ? kept : [...kept, ...values]);
  }
  return Object.fromEntries(after);
}

/** A merge patch (RFC 7396): the attributes that changed with their values; null takes one away. */
export function mergePatch(changed: Attributes, forms: Forms): Document {
  let patch: Document = {};
  for (const [path, values] of Object.entries(changed)) {
    const as = forms.get(path);
    if (as !== undefined) patch = put(patch, path.split('.'), jsonOf(path, values, as) ?? null);
  }
  return patch;
}

/**
 * A JSON patch (RFC 6902): what changed is added, which also replaces (§4.1); what was taken away is removed, if it was
 * there (`before`; undefined: nobody knows), for to remove what is not there is an error (§4.2).
 */
export function jsonPatch(changed: Attributes, forms: Forms, before: Attributes | undefined): Json {
  return Object.entries(changed).flatMap(([name, values]): Json[] => {
    const as = forms.get(name);
    if (as === undefined) return [];
    const value = jsonOf(name, values, as);
    const path = pointerOf(name.split('.'));
    if (value !== undefined) return [{ op: 'add', path, value }];
    return before === undefined || before[name] !== undefined ? [{ op: 'remove', path }] : [];
  });
}
