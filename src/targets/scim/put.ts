import { type Document, isDocument } from '../document.ts';
import { withMember } from './json.ts';
import { type Types, typeOf } from './place.ts';

/** What of a resource that was read goes back with a PUT: all but what only the service writes (RFC 7644 §3.5.1). */
export function writable(resource: Document, types: Types): Document {
  return Object.keys(resource).reduce((document, name) => {
    const extension = document[name];
    if (name.toLowerCase().startsWith('urn:') && isDocument(extension))
      return withMember(document, name, own(extension, name, types));
    return name === 'id' || name === 'schemas' || !isReadOnly(name, undefined, types)
      ? document
      : withMember(document, name, undefined);
  }, resource);
}

function own(extension: Document, schema: string, types: Types): Document {
  const entries = Object.entries(extension).filter(([name]) => !isReadOnly(name, schema, types));
  return Object.fromEntries(entries);
}

function isReadOnly(attribute: string, schema: string | undefined, types: Types): boolean {
  if (schema === undefined && attribute.toLowerCase() === 'meta') return true;
  return typeOf({ schema, attribute, filter: [], sub: undefined }, types)?.readOnly ?? false;
}
