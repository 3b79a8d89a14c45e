/** What staffetta.yml says of a `scim` target: a service that speaks SCIM 2.0 (RFC 7643, 7644). */
import { z } from 'zod';
import type { LdapMapping } from './ldap.ts';
import { named } from './name.ts';
import { scimAttribute } from './scim-attribute.ts';
import { common, mapping } from './target.ts';
import { web } from './web.ts';

const scimMapping = z
  .strictObject({
    ...mapping,
    resource: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9]*$/, { error: 'expected User, Group or the name of another resource type' })
      .describe('The resource type: User, Group, or another one that the service offers'),
    id: z.string().describe('Template over the columns of the view: the name of the resource, which `naming:` holds'),
    naming: z
      .string()
      .optional()
      .describe('The attribute that holds the name. Default: userName of a User, displayName of any other resource'),
    caseSensitive: z
      .boolean()
      .optional()
      .describe('Whether names that differ in case are different resources. Default: of externalId only'),
    attributes: z.record(z.string(), scimAttribute).describe('Path of the attribute → template, column or constant'),
    disable: z
      .strictObject({
        attributes: z.record(z.string(), z.string()).describe('Path of the attribute → template'),
      })
      .optional()
      .describe('What is written for `deprovision: disable`. Default, of a User: active is false'),
    password: z
      .literal(true)
      .optional()
      .describe('Resources take passwords that are handed over. Left out: they take none'),
  })
  .transform(complete);

const features = z.strictObject({
  patch: z.boolean().optional().describe('Whether it takes PATCH; else resources are replaced (PUT)'),
  filter: z.boolean().optional().describe('Whether it can be searched; else it is read from end to end'),
  etag: z.boolean().optional().describe('Whether it has versions, and takes If-Match'),
  cursor: z.boolean().optional().describe('Whether it is read page by page with cursors (RFC 9865); else by numbers'),
  attributes: z.boolean().default(true).describe('Whether answers can be limited to the attributes that are asked for'),
});

export const scim = z.strictObject({
  type: z.literal('scim').describe('The kind of target: a service that speaks SCIM 2.0'),
  ...common,
  ...web,
  features: features
    .prefault({})
    .describe('What the service can do, where it does not say so itself, or not the truth'),
  pageSize: z.int().min(1).max(10_000).default(100).describe('Resources that are asked for at once'),
  membersPerRequest: z
    .int()
    .min(1)
    .default(100)
    .describe('The most members of a group that are added or removed in one request'),
  removeMembers: z
    .enum(['filter', 'value'])
    .default('filter')
    .describe('How members are removed: each by a filter in its path (RFC 7644), or by a list of values'),
  bulk: z.boolean().default(false).describe('Send many changes in one request, where the service offers it'),
  entities: named(scimMapping).describe('The entities that this target follows, and how their resources look'),
});

export type ScimConfig = z.output<typeof scim>;
export type ScimMapping = ScimConfig['entities'][string];

type Given = {
  readonly resource: string;
  readonly naming?: string | undefined;
  readonly caseSensitive?: boolean | undefined;
  readonly attributes: Readonly<Record<string, z.output<typeof scimAttribute>>>;
  readonly disable?: { readonly attributes: Record<string, string> } | undefined;
};

/**
 * Fills in what depends on the resource type. Where disabling writes `active` and the mapping does not, it is true when a
 * resource is created or comes back, and the service's own in between.
 */
function complete<T extends Given>(given: T) {
  const { resource, naming = resource === 'User' ? 'userName' : 'displayName' } = given;
  const { caseSensitive = naming.toLowerCase() === 'externalid' } = given;
  const disable: LdapMapping['disable'] =
    given.disable ?? (resource === 'User' ? { attributes: { active: 'false' } } : undefined);
  const isActive = (name: string) => name.toLowerCase() === 'active';
  const isOwn = Object.keys(disable?.attributes ?? {}).some(isActive) && !Object.keys(given.attributes).some(isActive);
  const attributes = isOwn ? { ...given.attributes, active: whenCreated } : given.attributes;
  return { ...given, naming, caseSensitive, disable, attributes };
}

const whenCreated = scimAttribute.parse({ values: ['true'], policy: 'initial' });
