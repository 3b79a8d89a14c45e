/** What a server says of itself: its root DSE (RFC 4512 §5.1) and its schema, read once per pool. */
import { EqualityFilter } from 'ldapts';
import type { Connection } from './connection.ts';
import { DnSyntaxError, isBelow } from './dn.ts';
import { LdapError } from './errors.ts';
import { PostReadControl } from './post-read.ts';
import { Schema } from './schema.ts';
import { type Found, search } from './search.ts';
import type { StableIdAttribute } from './stable-id.ts';

export interface Directory {
  /** Product and version, as far as it says. */
  readonly product: string;
  readonly activeDirectory: boolean;
  /** Where the trees begin that it holds. */
  readonly contexts: readonly string[];
  readonly schema: Schema;
  /** The attribute that survives renames, if it has one. */
  readonly stableId: StableIdAttribute | undefined;
  /** It can tell an entry with the change that made it. */
  readonly postRead: boolean;
  /** It can say as whom we are connected (RFC 4532). */
  readonly whoAmI: boolean;
}

export const whoAmIOid = '1.3.6.1.4.1.4203.1.11.3';
const activeDirectoryOid = '1.2.840.113556.1.4.800';

/** `binary`: attributes that hold bytes whatever the schema says. */
export async function readDirectory(
  connection: Connection,
  binary: readonly string[],
  signal: AbortSignal,
): Promise<Directory> {
  const root = await readIfAllowed(connection, '', ['*', '+'], signal);
  const texts = (attribute: string): string[] => textsOf(root, attribute);
  const schema = await readSchema(connection, texts('subschemaSubentry')[0], binary, signal);
  const activeDirectory = texts('supportedCapabilities').includes(activeDirectoryOid);
  return {
    product: productOf(texts, activeDirectory),
    activeDirectory,
    contexts: texts('namingContexts').map((context) => context.replace(/\0$/, '')),
    schema,
    stableId: stableIdOf(schema, activeDirectory),
    postRead: texts('supportedControl').includes(PostReadControl.type),
    whoAmI: texts('supportedExtension').includes(whoAmIOid),
  };
}

/** The context that holds a DN: the nearest, where one lies in another. */
export function contextOf(directory: Directory, dn: string): string | undefined {
  const above = directory.contexts.filter((context) => {
    try {
      return isBelow(dn, context);
    } catch (error) {
      if (error instanceof DnSyntaxError) return false;
      throw error;
    }
  });
  return above.sort((left, right) => right.length - left.length)[0];
}

async function readSchema(
  connection: Connection,
  subschema: string | undefined,
  binary: readonly string[],
  signal: AbortSignal,
): Promise<Schema> {
  if (subschema === undefined) return new Schema([], [], binary);
  const entry = await readIfAllowed(connection, subschema, ['attributeTypes', 'objectClasses'], signal);
  return new Schema(textsOf(entry, 'attributeTypes'), textsOf(entry, 'objectClasses'), binary);
}

/** One entry; undefined where the server shows none to us. A server need not show its root DSE or its schema. */
async function readIfAllowed(
  connection: Connection,
  base: string,
  attributes: readonly string[],
  signal: AbortSignal,
): Promise<Found | undefined> {
  try {
    // RFC 4512 §4.4: a subschema entry is only shown to those who ask for one.
    const filter = base === '' ? {} : { filter: new EqualityFilter({ attribute: 'objectClass', value: 'subschema' }) };
    return (await search(connection, { base, scope: 'base', attributes, ...filter }, signal))[0];
  } catch (error) {
    if (error instanceof LdapError && error.kind !== 'unavailable') return undefined;
    throw error;
  }
}

/** The values of an attribute, by its name in any case. */
function textsOf(entry: Found | undefined, attribute: string): string[] {
  for (const [name, values] of entry?.attributes ?? []) {
    if (name.toLowerCase() === attribute.toLowerCase()) return values.map((value) => value.toString());
  }
  return [];
}

function productOf(texts: (attribute: string) => string[], activeDirectory: boolean): string {
  const named = [...texts('vendorName'), ...texts('vendorVersion')].join(' ');
  if (named !== '') return named;
  if (activeDirectory) return 'Active Directory';
  return texts('structuralObjectClass').includes('OpenLDAProotDSE') ? 'OpenLDAP' : 'an LDAP server';
}

function stableIdOf(schema: Schema, activeDirectory: boolean): StableIdAttribute | undefined {
  if (activeDirectory) return 'objectGUID';
  if (schema.knows('entryUUID')) return 'entryUUID';
  return schema.knows('nsUniqueId') ? 'nsUniqueId' : undefined;
}
