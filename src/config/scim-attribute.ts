/** The attributes of a SCIM resource: what they are made of, and how their values stand there. */
import { z } from 'zod';
import { type AttributeConfig, attribute, policy, secretFlag as secret, uniqueFlag as unique } from './attribute.ts';

const form = z
  .enum(['text', 'number', 'boolean', 'list'])
  .optional()
  .describe('How it stands in the resource: text, number, boolean, or list of values. Default: as the schema says');

const written = z.union([
  z.string(),
  z.strictObject({
    template: z.string().describe('Template over the columns of the view: {x}, {x?}'),
    secret,
    unique,
    policy,
    as: form,
  }),
  z.strictObject({ values: z.array(z.string()).min(1).describe('Constant values'), policy, as: form }),
  z.strictObject({
    ref: z.string().describe('The entity that the keys in `from` belong to; their SCIM ids stand in the resource'),
    from: z.string().describe('A column of the view: an array of keys'),
  }),
  z.strictObject({
    from: z.string().describe('A column of the view; an array is a multi-valued attribute'),
    secret,
    unique,
    policy,
    as: form,
  }),
]);

/** How the values of an attribute stand in the resource; undefined: as its schema says. */
export type ScimForm = z.output<typeof form>;

/** An attribute of a resource, as that of any target, with its form. */
export const scimAttribute = written.transform((given): AttributeConfig & { readonly as: ScimForm } => {
  if (typeof given === 'string') return { ...attribute.parse(given), as: undefined };
  if ('ref' in given) return { ...attribute.parse({ ...given, empty: 'placeholder' }), as: undefined };
  const { as, ...values } = given;
  return { ...attribute.parse(values), as };
});
