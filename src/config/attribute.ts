import { z } from 'zod';

export const policy = z
  .enum(['replace', 'initial', 'add', 'merge'])
  .default('replace')
  .describe('What happens to values of others');

export const secretFlag = z
  .boolean()
  .default(false)
  .describe('Never shown, logged or stored other than as a keyed hash');

export const uniqueFlag = z
  .boolean()
  .default(false)
  .describe('Each value belongs to one identity of the target; whoever else has it is parked');

/** What an attribute of a target's entry is made of. */
export const attribute = z.union([
  z.string().transform((template) => ({
    kind: 'template' as const,
    template,
    secret: false,
    unique: false,
    policy: 'replace' as const,
  })),
  z
    .strictObject({
      template: z.string().describe('Template over the columns of the view: {x}, {x?}'),
      secret: secretFlag,
      unique: uniqueFlag,
      policy,
    })
    .transform((value) => ({ kind: 'template' as const, ...value })),
  z
    .strictObject({ values: z.array(z.string()).min(1).describe('Constant values'), policy })
    .transform((value) => ({ kind: 'values' as const, secret: false, unique: false, ...value })),
  z
    .strictObject({
      ref: z.string().describe('The entity that the keys in `from` belong to'),
      from: z.string().describe('A column of the view: an array of keys'),
      empty: z.enum(['placeholder', 'delete', 'keep']).default('placeholder').describe('When the last member is gone'),
    })
    .transform((value) => ({ kind: 'reference' as const, ...value })),
  z
    .strictObject({
      from: z.string().describe('A column of the view; an array is a multi-valued attribute'),
      secret: secretFlag,
      unique: uniqueFlag,
      policy,
    })
    .transform((value) => ({ kind: 'column' as const, ...value })),
]);

export type AttributeConfig = z.output<typeof attribute>;
