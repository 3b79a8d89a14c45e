/** What is known of the attributes of resources: what a service's schemas say (RFC 7643 §7), or the RFC itself. */
import { isSameName } from '../../config/scim-path.ts';
import type { Document } from '../document.ts';
import { documentsIn, flagIn, textIn } from './json.ts';

/** What an attribute is (RFC 7643 §2.2). */
export interface AttributeType {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'decimal' | 'integer' | 'dateTime' | 'binary' | 'reference' | 'complex';
  readonly multiValued: boolean;
  readonly caseExact: boolean;
  readonly readOnly: boolean;
  /** Whether the service keeps its values apart. */
  readonly unique: boolean;
  /** Of a complex one: its parts. */
  readonly parts: readonly AttributeType[];
}

const kinds = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex'] as const;

/** The attributes of a schema as a service describes it. */
export function attributeTypesIn(schema: Document, name = 'attributes'): AttributeType[] {
  const given = Object.entries(schema).find(([key]) => isSameName(key, name))?.[1];
  return documentsIn(given).flatMap((attribute) => {
    const called = textIn(attribute, 'name');
    return called === undefined ? [] : [attributeType(called, attribute)];
  });
}

function attributeType(name: string, described: Document): AttributeType {
  const type = kinds.find((kind) => isSameName(kind, textIn(described, 'type'))) ?? 'string';
  return {
    name,
    type,
    multiValued: flagIn(described, 'multiValued') ?? false,
    // What is no text is compared as what it is.
    caseExact: flagIn(described, 'caseExact') ?? (type === 'reference' || type === 'binary'),
    readOnly: isSameName(textIn(described, 'mutability'), 'readOnly'),
    unique: ['server', 'global'].includes(textIn(described, 'uniqueness') ?? 'none'),
    parts: attributeTypesIn(described, 'subAttributes'),
  };
}

function plain(name: string, changes: Partial<AttributeType> = {}): AttributeType {
  const type = { type: 'string', multiValued: false, caseExact: false, readOnly: false, unique: false } as const;
  return { name, ...type, parts: [], ...changes };
}

/** A list of values with a type each (RFC 7643 §2.4). */
function several(name: string, more: Partial<AttributeType> = {}, value: Partial<AttributeType> = {}): AttributeType {
  const parts = [plain('value', value), plain('display'), plain('type'), plain('primary', { type: 'boolean' })];
  return plain(name, { type: 'complex', multiValued: true, parts, ...more });
}

const reference = [plain('value', { caseExact: true }), plain('$ref', { type: 'reference' }), plain('display')];

/** What the RFC says of users and groups (§4, §8.7), as far as it is not text; for services without schemas. */
export const known: readonly AttributeType[] = [
  plain('id', { caseExact: true, readOnly: true, unique: true }),
  plain('externalId', { caseExact: true }),
  plain('meta', { type: 'complex', readOnly: true }),
  plain('userName', { unique: true }),
  plain('active', { type: 'boolean' }),
  plain('profileUrl', { type: 'reference', caseExact: true }),
  plain('name', { type: 'complex' }),
  ...['emails', 'phoneNumbers', 'ims', 'addresses', 'entitlements', 'roles'].map((name) => several(name)),
  several('photos', {}, { type: 'reference', caseExact: true }),
  several('x509Certificates', {}, { type: 'binary', caseExact: true }),
  several('groups', { readOnly: true }),
  plain('members', { type: 'complex', multiValued: true, parts: reference }),
  plain('manager', { type: 'complex', parts: reference }),
];
