/**
 * The shape of `staffetta.yml`, as zod schemas. Everything the file may say stands here with its meaning and default;
 * `load.ts` reads a file into `Config`, `problem.ts` words what is wrong with it.
 */
import { z } from 'zod';
import { cron } from './cron.ts';
import { file } from './file.ts';
import { secret } from './given-secret.ts';
import { hooks } from './hooks.ts';
import { http } from './http.ts';
import { ldap } from './ldap.ts';
import { named } from './name.ts';
import { own, unknownType } from './own.ts';
import { valueAt } from './problem.ts';
import { scim } from './scim.ts';
import { script } from './script.ts';

const source = z.strictObject({
  key: z
    .string()
    .describe('SQL expression over one row of the table; gives the entity key, or the argument of `resolve`'),
  columns: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Only changes of these columns matter. Default: every column'),
  resolve: z
    .string()
    .optional()
    .describe('Query that turns the key expressions of changed rows ($1, an array) into entity keys'),
  notify: z.boolean().optional().describe('Ring the bell. Default: on, unless the server allows prepared transactions'),
  capture: z
    .union(
      [
        z.enum(['statement', 'row', 'row, always']),
        z.tuple([z.literal('row'), z.literal('always')]).transform((): 'row, always' => 'row, always'),
      ],
      { error: 'expected "statement", "row" or "row, always"' },
    )
    .prefault('statement')
    .describe('How the table is captured; `row, always` also where a subscription or a replica session writes it'),
});

const entity = z.strictObject({
  view: z.string().describe('The view (or table) that says who is replicated: schema.name'),
  key: z.string().describe('The column of the view that identifies a row'),
  sources: z
    .record(
      z.string(),
      z.union([z.string().transform((key): z.input<typeof source> => ({ key })), source]).pipe(source),
    )
    .describe('Captured tables: schema.table, with the expression that gives the key of the entity from its row'),
});

/** The kinds of targets that come with Staffetta; any other `type` is a module of the administrator's own. */
const kinds = [ldap, scim, http, file, script] as const;
const kindNames = ['ldap', 'scim', 'http', 'file', 'script'] satisfies readonly z.output<
  (typeof kinds)[number]
>['type'][];

const target = z.union([
  z.discriminatedUnion('type', kinds, {
    error: ({ code, input }) =>
      code === 'invalid_union' ? unknownType(valueAt(input, ['type']), kindNames) : undefined,
  }),
  own(kindNames),
]);

export const config = z.strictObject({
  version: z.literal(1).describe('The version of this format: 1'),
  database: z
    .strictObject({
      url: z.string().describe('Connection string of PostgreSQL'),
      listen: z
        .string()
        .optional()
        .describe('A direct connection string, where `url` goes through a transaction pooler'),
    })
    .describe('The database that holds the identities'),
  entities: named(entity).describe('The kinds of identity: who is replicated, and which tables announce a change'),
  targets: named(target).describe('The systems that follow'),
  hooks: hooks.describe('Modules called before and after each change on every target, in order'),
  passwords: z
    .strictObject({
      key: secret.describe(
        'The OpenPGP private key that opens passwords which are handed over, or { file }; `staffetta password-key` makes one',
      ),
    })
    .optional()
    .describe('Passwords are taken with staffetta.set_password, for the mappings that say so. Left out: none are'),
  schedule: z
    .strictObject({
      sweep: cron.default('* * * * *').describe('When to pick up whatever a lost notification left; cron fields, UTC'),
      rescan: cron.default('*/15 * * * *').describe('When to compare all desired states with links; cron fields, UTC'),
      reconcile: cron
        .default('15 3 * * *')
        .describe('When to compare desired states with the live targets; cron fields, UTC'),
    })
    .prefault({})
    .describe('When the scheduled runs happen'),
});

export type Config = z.output<typeof config>;
export type SourceConfig = z.output<typeof source>;
export type TargetConfig = z.output<typeof target>;
export type MappingConfig = TargetConfig['entities'][string];
export type { AttributeConfig } from './attribute.ts';
