/** What staffetta.yml says of a `script` target: a folder of backends in Sesame's layout, and the document they read. */
import { z } from 'zod';

/** How the values of an attribute stand in the document that a script reads. */
const form = z
  .enum(['text', 'number', 'boolean', 'list'])
  .default('text')
  .describe('How it stands in the document: text (bytes as base64), number, boolean, or list of texts');

const secret = z.boolean().default(false).describe('Never shown, logged or stored other than as a keyed hash');

/** An attribute of the document; its name is the path of the place where it stands. */
const attribute = z.union([
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

/** The keys of an entity of a script target; `values`: how the attribute of any target is read. */
export function scriptMapping<T extends object>(values: z.ZodType<T>) {
  return {
    id: z.string().describe("Template of the identity's id over the columns of the view; it should never change"),
    attributes: z
      .record(
        z.string(),
        attribute.transform((given): T & { readonly as: Form } => {
          if (typeof given === 'string') return { ...values.parse(given), as: 'text' };
          const { as, ...written } = given;
          return { ...values.parse(written), as };
        }),
      )
      .describe('The document that scripts read: path → template, column or constant. `enabled` is not part of it'),
  };
}

/** The keys of a script target itself. */
export const scriptKeys = {
  backends: z
    .string()
    .default('backends')
    .describe("Folder of the backends, each NN-name/config.yml and bin/; relative to this file's folder"),
  process: z
    .record(z.string(), z.literal('stream'))
    .default({})
    .describe('Name of a backend → stream: one process is kept and reads a line for each identity. Default: one each'),
  createAction: z
    .enum(['IDENTITY_UPDATE', 'IDENTITY_CREATE'])
    .default('IDENTITY_UPDATE')
    .describe('The action for an identity that is new'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe('Environment of the scripts, beside PATH and LANG; nothing else of ours is passed on'),
  shell: z.boolean().default(false).describe('Have /bin/sh read what follows the name of a script in config.yml'),
  maxOutput: z
    .int()
    .min(1024)
    .default(4_194_304)
    .describe('The most a script may print for one identity, in bytes; one that prints more is killed'),
};
