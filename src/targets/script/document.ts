/**
 * What a script reads: an identity as Sesame's document has it, put together from the attributes of the mapping. The name
 * of an attribute is the path of its place: `inetOrgPerson.cn`, `additionalFields.attributes.supannPerson.supannCivilite`.
 */
import { createHash } from 'node:crypto';
import type { Form } from '../../config/document-attribute.ts';
import type { ScriptMapping } from '../../config/script.ts';
import { type Attributes, TargetError, type Value } from '../target.ts';

export type Json = string | number | boolean | null | readonly Json[] | Document;
export interface Document {
  readonly [key: string]: Json;
}

/** The attribute that says whether an identity is enabled: it leads to actions, and is not part of the document. */
export const enabled = 'enabled';

/** What Sesame sends of every person; scripts may count on it. */
const inetOrgPerson = [
  ...['cn', 'displayName', 'facsimileTelephoneNumber', 'givenName', 'labeledURI', 'mail', 'mobile', 'postalAddress'],
  ...['preferredLanguage', 'sn', 'telephoneNumber', 'title', 'uid', 'employeeNumber', 'employeeType'],
  ...['departmentNumber', 'jpegPhoto', 'userCertificate', 'userPassword'],
];

/** The state of an identity that is to be synchronised. */
const toSync = 2;

/**
 * An identity. What the mapping leaves out of Sesame's own keys is added: `_id`, `state`, `initState`, `fingerprint`, and
 * for a person the rest of `inetOrgPerson`, empty. Throws `rejected` for a value that is not what `as:` says.
 */
export function identityOf({ attributes }: ScriptMapping, id: string, values: Attributes): Document {
  const person = Object.keys(attributes).some((path) => path.startsWith('inetOrgPerson.'));
  let identity: Document = { _id: id, state: toSync, initState: 0 };
  if (person) identity = { ...identity, inetOrgPerson: Object.fromEntries(inetOrgPerson.map((name) => [name, ''])) };
  for (const [path, { as }] of Object.entries(attributes)) {
    if (path !== enabled) identity = put(identity, path.split('.'), jsonOf(path, values[path] ?? [], as));
  }
  const fingerprint = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  return { fingerprint, ...identity };
}

/** A copy of a document with a value at a path. */
function put(document: Document, [step = '', ...below]: readonly string[], value: Json): Document {
  const [, inner] = Object.entries(document).find(([key]) => key === step) ?? [];
  return { ...document, [step]: below.length === 0 ? value : put(isDocument(inner) ? inner : {}, below, value) };
}

function isDocument(value: Json | undefined): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonOf(path: string, values: readonly Value[], as: Form): Json {
  const texts = values.map((value) => (typeof value === 'string' ? value : value.base64));
  if (as === 'list') return texts;
  const [text, ...more] = texts;
  if (text === undefined) return '';
  if (more.length > 0) throw wrong(path, `has ${texts.length} values, expected one; several go \`as: list\``);
  if (as === 'text') return text;
  const value = as === 'number' ? toNumber(text) : toBoolean(text);
  if (value === undefined) throw wrong(path, `is no ${as}, as the mapping says it is`);
  return value;
}

function toNumber(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** True or false in the words of PostgreSQL and of directories; undefined for anything else. */
export function toBoolean(text: string): boolean | undefined {
  if (/^(true|t|yes|y|on|1)$/i.test(text)) return true;
  return /^(false|f|no|n|off|0)$/i.test(text) ? false : undefined;
}

function wrong(path: string, reason: string): TargetError {
  return new TargetError('rejected', `attribute ${path} ${reason}`);
}
