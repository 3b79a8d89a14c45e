/** What staffetta.yml says of hooks: modules that are called before and after each change of an entry. */
import { z } from 'zod';
import { positiveDuration } from './duration.ts';

/** What hooks may have, in the order in which they are called. */
export const hookFunctions = [
  'beforeCreate',
  'afterCreate',
  'beforeUpdate',
  'afterUpdate',
  'beforeRemove',
  'afterRemove',
] as const;

export type HookFunction = (typeof hookFunctions)[number];

const common = {
  timeout: positiveDuration.prefault('10s').describe('The longest that one call may take'),
  secrets: z.boolean().default(false).describe('It is shown the values of secret attributes, and Perl modules `$pwd`'),
};

const nameOfHook = z
  .string()
  .regex(/^[\w.:-]{1,60}$/, { error: 'expected a name of letters, digits and _ . : -, 60 at most' })
  .describe('What results, messages and the journal call it; each once for a target');

const module = z
  .strictObject({
    name: nameOfHook,
    module: z.string().describe("File of an ES module, .ts, .mjs or .js; relative to this file's folder"),
    ...common,
  })
  .transform((given) => ({ kind: 'module' as const, ...given }));

const script = z
  .strictObject({
    name: nameOfHook,
    script: z.string().describe("File of a program; relative to this file's folder"),
    args: z.array(z.string()).default([]).describe('What the program is called with'),
    process: z
      .enum(['spawn', 'stream'])
      .default('spawn')
      .describe('spawn: a process for each call; stream: one is kept, and reads a line for each call'),
    env: z
      .record(z.string(), z.string())
      .default({})
      .describe('Environment of the program, beside PATH and LANG; nothing else of ours is passed on'),
    functions: z
      .array(z.enum(hookFunctions))
      .min(1)
      .default([...hookFunctions])
      .describe('What it is called for. Default: everything'),
    ...common,
  })
  .transform((given) => ({ kind: 'script' as const, ...given }));

const perl = z
  .strictObject({
    perl: z
      .string()
      .describe("AOSI's plugins.conf, a name of a Perl module on each line; relative to this file's folder"),
    modules: z.string().optional().describe('Folder of the Perl modules. Default: that of plugins.conf'),
    ...common,
  })
  .transform((given) => ({ kind: 'perl' as const, ...given }));

/** One entry of a list of hooks. */
const hook = z.union([module, script, perl]);

export const hooks = z.array(hook).default([]);

export type HookConfig = z.output<typeof hook>;
export type EsModuleConfig = z.output<typeof module>;
export type ScriptHookConfig = z.output<typeof script>;
export type PerlConfig = z.output<typeof perl>;
