/** What staffetta.yml says of a `script` target: a folder of backends in Sesame's layout, and the document they read. */
import { z } from 'zod';
import { documentAttribute } from './document-attribute.ts';
import type { LdapMapping } from './ldap.ts';
import { named } from './name.ts';
import { common, mapping } from './target.ts';

// Scripts cannot be asked what they hold, so nothing is matched; to disable an identity is an action of theirs.
const { match: _, ...written } = mapping;
const scriptMapping = z
  .strictObject({
    ...written,
    id: z.string().describe("Template of the identity's id over the columns of the view; it should never change"),
    attributes: z
      .record(z.string(), documentAttribute)
      .describe('The document that scripts read: path → template, column or constant. `enabled` is not part of it'),
    password: z
      .literal(true)
      .optional()
      .describe('Backends are told of passwords that are handed over. Left out: of none'),
  })
  .transform((given): typeof given & Pick<LdapMapping, 'match' | 'disable'> => ({
    ...given,
    disable: { attributes: { enabled: 'FALSE' } },
  }));

export const script = z.strictObject({
  type: z.literal('script').describe('The kind of target: programs that read JSON from standard input'),
  ...common,
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
  entities: named(scriptMapping).describe('The entities that this target follows, and how their documents look'),
});

export type ScriptConfig = z.output<typeof script>;
export type ScriptMapping = ScriptConfig['entities'][string];
