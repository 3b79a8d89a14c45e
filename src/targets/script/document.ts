/**
 * What a script reads: an identity as Sesame's document has it, put together from the attributes of the mapping. The name
 * of an attribute is the path of its place: `inetOrgPerson.cn`, `additionalFields.attributes.supannPerson.supannCivilite`.
 */
import { createHash } from 'node:crypto';
import type { ScriptMapping } from '../../config/script.ts';
import { type Document, jsonOf, put } from '../document.ts';
import type { Attributes } from '../target.ts';

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
    if (path === enabled) continue;
    const value = jsonOf(path, values[path] ?? [], as) ?? (as === 'list' ? [] : '');
    identity = put(identity, path.split('.'), value);
  }
  const fingerprint = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  return { fingerprint, ...identity };
}
