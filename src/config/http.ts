/** What staffetta.yml says of an `http` target: any service that is asked over HTTP, REST or SOAP. */
import { z } from 'zod';
import { type AttributeConfig, attribute } from './attribute.ts';
import { documentAttribute, type Form } from './document-attribute.ts';
import { batch, listing, locator, meanings, operation, reading, write } from './http-operation.ts';
import type { LdapMapping } from './ldap.ts';
import { named } from './name.ts';
import { common, mapping } from './target.ts';
import { web } from './web.ts';

const reference = z
  .strictObject({
    ref: z.string().describe('The entity that the keys in `from` belong to; their remote ids stand in the document'),
    from: z.string().describe('A column of the view: an array of keys'),
  })
  .transform((given): AttributeConfig & { readonly as: Form } => ({
    ...attribute.parse({ ...given, empty: 'placeholder' }),
    as: 'list',
  }));

const operations = z.strictObject({
  create: write.optional().describe('Makes an entry. Default method: POST'),
  update: write.optional().describe('Changes an entry. Default method: PATCH, or PUT of `json: whole`'),
  save: write.optional().describe('Instead of both: makes an entry or writes it anew. Default method: PUT'),
  rename: write.optional().describe('Gives an entry another id, {newId}. Left out: `update` or `save` does'),
  remove: write.optional().describe('Removes an entry. Default method: DELETE'),
  disable: write.optional().describe('For `deprovision: disable`. Left out: `update` writes what `disable:` says'),
  enable: write.optional().describe('When an identity is back that was disabled, before it is updated'),
  password: operation.optional().describe('Sets {password}, which was handed over; {formerPassword} may be known'),
  read: reading.optional().describe('Reads an entry. Default method: GET'),
  find: listing.optional().describe('Looks for the entries that match an identity. Default method: GET'),
  list: listing.optional().describe('Reads every entry. Default method: GET'),
});

const httpMapping = z
  .strictObject({
    ...mapping,
    id: z.string().describe("Template of the entry's id over the columns of the view; operations call it {id}"),
    idPath: z.string().optional().describe('Where the id stands in the document, such as userName'),
    stableId: locator
      .optional()
      .describe('Where an entry says what id the service gave it; operations call it {stableId}'),
    attributes: z
      .record(z.string(), z.union([reference, documentAttribute]))
      .describe('The document of an entry: path → template, column, constant or members'),
    places: z
      .record(z.string(), z.string())
      .default({})
      .describe('Attribute → JSON pointer of its place in an entry that is read, where that is not its path'),
    disable: z
      .strictObject({ attributes: z.record(z.string(), z.string()).describe('Attribute → template') })
      .optional()
      .describe('What `deprovision: disable` writes'),
    operations: operations.describe('What is sent for each operation'),
    batch: batch.optional().describe('How changes go together, many in one request'),
  })
  .transform(({ disable, ...given }): typeof given & Pick<LdapMapping, 'disable'> & { readonly password?: true } => ({
    ...given,
    ...(disable === undefined && given.operations.disable !== undefined ? { disable: { attributes: disabled } } : {}),
    ...(disable === undefined ? {} : { disable }),
    ...(given.operations.password === undefined ? {} : { password: true as const }),
  }));

/** What stands for being disabled where no attribute does. It is no part of the document. */
const disabled: Record<string, string> = { '(disabled)': 'TRUE' };

export const http = z.strictObject({
  type: z.literal('http').describe('The kind of target: a service that is asked over HTTP'),
  ...common,
  ...web,
  identity: z
    .string()
    .optional()
    .describe('Which installation this is, whatever its URL. Default: the URL, without a query'),
  ping: z
    .strictObject({
      method: z.string().default('GET').describe('Default: GET'),
      path: z.string().describe('Where, below `url`'),
      status: z.int().default(200).describe('The status that says that all is well'),
    })
    .optional()
    .describe('What is asked to see whether the service is there. Default: its URL, with any answer but a refusal'),
  idempotencyKey: z
    .string()
    .optional()
    .describe('Name of a header, Idempotency-Key say, that is the same when a change is sent again'),
  refersBy: z
    .enum(['remote id', 'stable id'])
    .default('remote id')
    .describe('What stands for a member: its id, or the one that the service gave it'),
  caseSensitive: z.boolean().default(true).describe('Whether ids that differ in case are different entries'),
  faults: meanings
    .default({})
    .describe(
      'Code of a SOAP fault, or a text in what it says, → what it means. Default: rejected, or unknown of a Server',
    ),
  entities: named(httpMapping)
    .transform((given) =>
      Object.fromEntries(Object.entries(given).map(([entity, of]) => [entity, { ...of, entity }] as const)),
    )
    .describe('The entities that this target follows, and how they are written'),
});

export type HttpConfig = z.output<typeof http>;
export type HttpMapping = HttpConfig['entities'][string];
