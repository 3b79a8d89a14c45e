/** The attributes of a target that takes documents: how their values stand there. */
import { z } from 'zod';
import { type AttributeConfig, attribute, secretFlag as secret } from './attribute.ts';

/** How the values of an attribute stand in the document. */
const form = z
  .enum(['text', 'number', 'boolean', 'list', 'bytes'])
  .default('text')
  .describe('How it stands in the document: text, number, boolean, list of texts, or bytes (as base64)');

/** An attribute of the document; its name is the path of the place where it stands. */
const written = z.union([
  z.string(),
  z.strictObject({
    template: z.string().describe('Template over the columns of the view: {x}, {x?}'),
    secret,
    as: form,
  }),
  z.strictObject({ values: z.array(z.string()).min(1).describe('Constant values'), as: form }),
  z.strictObject({ from: z.string().describe('A column of the view; an array goes `as: list`'), secret, as: form }),
]);

/** How the values of an attribute stand in the document. */
export type Form = z.output<typeof form>;

/** An attribute of a document, as that of any target, with its form. */
export const documentAttribute = written.transform((given): AttributeConfig & { readonly as: Form } => {
  if (typeof given === 'string') return { ...attribute.parse(given), as: 'text' };
  const { as, ...values } = given;
  return { ...attribute.parse(values), as };
});
