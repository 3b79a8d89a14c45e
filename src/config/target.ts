/** What staffetta.yml says of a target of any kind, and of an entity of one. */
import { z } from 'zod';
import { attribute } from './attribute.ts';
import { duration, positiveDuration } from './duration.ts';
import { hooks } from './hooks.ts';
import { name } from './name.ts';

const step = z.union([
  z.enum(['disable', 'delete', 'keep']).transform((action) => ({ after: 0, do: action })),
  z.strictObject({
    after: duration.describe('How long after the identity left the view'),
    do: z.enum(['disable', 'delete', 'keep']).describe('What happens then'),
  }),
]);

const deprovision = z
  .union([
    z.enum(['disable', 'delete', 'keep']).transform((action) => [{ after: 0, do: action }]),
    z.array(step).min(1),
  ])
  .prefault('keep')
  .describe('What happens when the identity has left the view');

/** What every kind of target says of an entity. */
export const mapping = {
  view: z.string().optional().describe("Replaces the entity's view: same people, another format"),
  only: z.string().optional().describe('SQL condition over the view; whoever does not meet it is released'),
  match: z
    .record(z.string(), z.string())
    .optional()
    .describe('Adopt an existing entry: attribute → column of the view'),
  attributes: z
    .record(z.string(), attribute)
    .optional()
    .describe('Left out: every column of the view under its own name'),
  deprovision,
  removeAfter: duration.prefault('10s').describe('How long a removal waits for its re-insertion'),
  revisit: z.string().optional().describe('Query (key, at) over the source tables: when to look at a key again'),
  writeBack: z.string().optional().describe('SQL function that is told what became of an identity'),
};

const shareError = 'expected a share from 0% to 100%, such as 10%';
const share = z
  .string({ error: shareError })
  .regex(/^(100|[1-9]?\d)%$/, { error: shareError })
  .transform((text) => Number.parseInt(text, 10) / 100);

const guard = z.strictObject({
  removals: share
    .prefault('10%')
    .describe("The share of an entity's links that may be removed or disabled within the window; 100%: any number"),
  changes: share
    .prefault('50%')
    .describe(
      "The share of an entity's links that may lose all values or members of an attribute within the window; 100%: any number",
    ),
  floor: z.int().min(0).default(25).describe('This many removals or changes are always allowed'),
  window: positiveDuration.prefault('24h').describe('The time that removals and changes are counted over'),
});

/** What every kind of target says of itself. */
export const common = {
  mode: z
    .enum(['observe', 'manual', 'live'])
    .default('live')
    .describe(
      'observe: nothing is sent, what would be is journaled; manual: what an administrator approved is sent; live: everything',
    ),
  guard: guard.prefault({}).describe('Limits of removals and mass changes; what exceeds them is held'),
  after: z.array(name).default([]).describe('Targets that must have a key first'),
  slots: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Pumps that each daemon runs for this target at once; one more for single changes while all are at bulk'),
  batch: z.int().min(1).max(5000).default(500).describe('Deliveries that a pump claims at once'),
  concurrency: z.int().min(1).max(256).default(8).describe('Operations in flight per pump'),
  timeout: positiveDuration.prefault('10s').describe('The longest an operation may take'),
  hooks: hooks.describe('Modules called before and after each change on this target, after those for all targets'),
};
