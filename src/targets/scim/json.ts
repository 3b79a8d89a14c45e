/** What SCIM messages are made of. Names of attributes know no case (RFC 7643 §2.1). */
import { type Document, isDocument, type Json } from '../document.ts';

/** The objects of a list; none where it is no list. */
export function documentsIn(value: unknown): Document[] {
  return Array.isArray(value) ? value.filter(isDocument) : [];
}

/** Reads a message; undefined where the text is no JSON object. */
export function parseDocument(text: string): Document | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isDocument(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a document has under a name. */
export function member(document: Document, name: string): Json | undefined {
  return Object.hasOwn(document, name) ? document[name] : document[nameIn(document, name)];
}

/** The name as the document writes it; as given where it has none such. */
function nameIn(document: Document, name: string): string {
  const lower = name.toLowerCase();
  return Object.keys(document).find((key) => key.toLowerCase() === lower) ?? name;
}

/** A copy of a document with another value under a name; `undefined`: without it. */
export function withMember(document: Document, name: string, value: Json | undefined): Document {
  const key = nameIn(document, name);
  if (value !== undefined) return { ...document, [key]: value };
  return Object.fromEntries(Object.entries(document).filter(([other]) => other !== key));
}

/** The text that a document has under a name; undefined where there is none, or something else. */
export function textIn(document: Document, name: string): string | undefined {
  const value = member(document, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Whether a document says so; undefined where it says neither. */
export function flagIn(document: Document, name: string): boolean | undefined {
  const value = member(document, name);
  return typeof value === 'boolean' ? value : undefined;
}

/** The number that a document has under a name. */
export function numberIn(document: Document, name: string): number | undefined {
  const value = member(document, name);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
