/** What a service says of itself (RFC 7644 §4): what it can do, which types of resource it has, and how they look. */
import type { ScimConfig } from '../../config/scim.ts';
import { isSameName } from '../../config/scim-path.ts';
import { type Document, isDocument } from '../document.ts';
import { TargetError } from '../target.ts';
import { type AttributeType, attributeTypesIn, known } from './attribute-type.ts';
import { flagIn, member, numberIn, textIn } from './json.ts';
import type { Types } from './place.ts';

export interface Features {
  readonly patch: boolean;
  readonly filter: boolean;
  readonly etag: boolean;
  readonly cursor: boolean;
  /** Whether answers can be limited to some attributes. */
  readonly attributes: boolean;
  /** The most operations and bytes that go into one bulk request; undefined: it takes none. */
  readonly bulk: { readonly operations: number; readonly bytes: number } | undefined;
  /** The most resources that it shows at once, where it says so. */
  readonly page: number | undefined;
}

export interface ResourceType {
  readonly name: string;
  /** Relative to the base URL: `Users`. */
  readonly endpoint: string;
  readonly types: Types;
}

export interface Description {
  readonly features: Features;
  /** Of the service, in a word or two. */
  readonly offers: string;
  /** Throws `misconfigured` for a type that it has not. */
  resource(name: string): ResourceType;
}

/** What was read; undefined or empty what the service does not offer. */
export interface Said {
  readonly provider: Document | undefined;
  readonly resourceTypes: readonly Document[];
  readonly schemas: readonly Document[];
}

/** Puts together what a service says, what the configuration says, and what the RFC says. */
export function describe({ provider, resourceTypes, schemas }: Said, config: ScimConfig): Description {
  const bySchema = new Map(
    schemas.flatMap((schema): [string, AttributeType[]][] => {
      const id = textIn(schema, 'id');
      return id === undefined ? [] : [[id.toLowerCase(), attributeTypesIn(schema)]];
    }),
  );
  const features = featuresOf(provider, config);
  return {
    features,
    offers: offersOf(features, provider),
    resource: (name) => resourceType(name, resourceTypes, bySchema),
  };
}

function featuresOf(provider: Document = {}, { features, bulk }: ScimConfig): Features {
  const supported = (name: string) => {
    const feature = member(provider, name);
    return isDocument(feature) ? flagIn(feature, 'supported') : undefined;
  };
  const pagination = sub(provider, 'pagination');
  const byIndex = flagIn(pagination, 'index') ?? true;
  const limits = sub(provider, 'bulk');
  return {
    patch: features.patch ?? supported('patch') ?? true,
    filter: features.filter ?? supported('filter') ?? true,
    etag: features.etag ?? supported('etag') ?? false,
    cursor:
      features.cursor ??
      (flagIn(pagination, 'cursor') === true &&
        (!byIndex || isSameName(textIn(pagination, 'defaultPaginationMethod'), 'cursor'))),
    attributes: features.attributes,
    bulk:
      bulk && supported('bulk') === true
        ? { operations: numberIn(limits, 'maxOperations') ?? 1, bytes: numberIn(limits, 'maxPayloadSize') ?? 1_048_576 }
        : undefined,
    page: numberIn(pagination, 'maxPageSize') ?? numberIn(sub(provider, 'filter'), 'maxResults'),
  };
}

function sub(document: Document, name: string): Document {
  const value = member(document, name);
  return isDocument(value) ? value : {};
}

function offersOf({ patch, filter, etag, cursor, bulk }: Features, provider: Document | undefined): string {
  const words = [
    patch ? 'PATCH' : 'PUT',
    filter ? 'filters' : 'no filters',
    etag ? 'versions' : '',
    cursor ? 'cursors' : '',
    bulk ? `bulk of ${bulk.operations}` : '',
  ];
  const source = provider === undefined ? ', as configured: it does not say itself' : '';
  return words.filter((word) => word !== '').join(', ') + source;
}

/** Where the RFC has users and groups (§3.2), for services that do not say. */
const core: readonly ResourceType[] = [
  ['User', 'Users'],
  ['Group', 'Groups'],
].map(([name = '', endpoint = '']) => ({
  name,
  endpoint,
  types: { schema: `urn:ietf:params:scim:schemas:core:2.0:${name}`, bySchema: new Map(), known },
}));

function resourceType(name: string, described: readonly Document[], bySchema: Types['bySchema']): ResourceType {
  const found = described.find((type) => isSameName(textIn(type, 'name') ?? textIn(type, 'id'), name));
  const own = core.find((type) => isSameName(type.name, name));
  const endpoint = (found && textIn(found, 'endpoint'))?.replace(/^\//, '') ?? own?.endpoint;
  const schema = (found && textIn(found, 'schema')) ?? own?.types.schema;
  if (endpoint !== undefined && schema !== undefined)
    return { name, endpoint, types: { schema, bySchema, known: own?.types.known ?? [] } };
  const names = described.flatMap((type) => textIn(type, 'name') ?? []);
  const offered = names.length === 0 ? 'says of none' : `has ${names.join(', ')}`;
  throw new TargetError(
    'misconfigured',
    `the service has no resource type ${name}: it ${offered}. Correct \`resource:\``,
  );
}
