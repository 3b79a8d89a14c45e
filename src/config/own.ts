/** What staffetta.yml says of a target of the administrator's own: a module that implements `Target`. */
import { z } from 'zod';
import { secret } from './given-secret.ts';
import { named } from './name.ts';
import { nearest } from './nearest.ts';
import { common, mapping } from './target.ts';

/** A file by its path, or a package by its name, perhaps with a path inside it. */
const modulePattern = /^(?:\.{0,2}\/.+|(?:@[\w.~-]+\/)?[a-z0-9][\w.~-]*(?:\/[\w.~/-]+)?)$/;

const ownMapping = z.strictObject({
  ...mapping,
  id: z.string().describe("Template of the entry's id over the columns of the view"),
  disable: z
    .strictObject({
      attributes: z.record(z.string(), z.string()).default({}).describe('Attribute → template'),
      id: z.string().optional().describe('Template of the id of a disabled entry. Left out: it keeps its own'),
    })
    .optional()
    .describe('What to write to the entry of an identity that has left the view, for `deprovision: disable`'),
  password: z
    .literal(true)
    .optional()
    .describe('The module is told of passwords that are handed over. Left out: of none'),
});

/** `kinds`: the names that are no modules, and near to which none is: they are slips of the pen. */
export const own = (kinds: readonly string[]) =>
  z
    .strictObject({
      type: z
        .string()
        .refine((type) => modulePattern.test(type) && !kinds.includes(type) && !isSlip(type, kinds))
        .meta({ pattern: modulePattern.source, not: { enum: [...kinds] } })
        .describe("A module that is a target: a file, ./my-target.ts from this file's folder on, or a package"),
      ...common,
      options: z.record(z.string(), z.unknown()).default({}).describe('Whatever the module wants to be told'),
      secrets: z
        .record(z.string(), secret)
        .default({})
        .describe('What the module is told and nobody else: name → the secret, or { file } that holds it'),
      refersBy: z
        .enum(['remote id', 'stable id'])
        .default('remote id')
        .describe(
          'What stands for a member in reference attributes: the id of its entry, or the one that survives a rename',
        ),
      entities: named(ownMapping).describe('The entities that this target follows, and how they look there'),
    })
    .transform(({ type: module, ...given }) => ({ type: 'own' as const, module, ...given }));

function isSlip(type: string, kinds: readonly string[]): boolean {
  return /^\w+$/.test(type) && nearest(type, kinds) !== undefined;
}

/** Why a `type` is none, in words. */
export function unknownType(found: unknown, kinds: readonly string[]): string {
  const near = typeof found === 'string' ? nearest(found, kinds) : undefined;
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `expected ${kinds.join(', ')}, or a module of your own such as ./my-target.ts${hint}`;
}

export type OwnConfig = z.output<ReturnType<typeof own>>;
