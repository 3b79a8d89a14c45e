/** What staffetta.yml says of a `file` target: a flow of CSV, JSON Lines or LDIF, of changes or whole. */
import { z } from 'zod';
import { attribute } from './attribute.ts';
import { cron } from './cron.ts';
import { documentAttribute } from './document-attribute.ts';
import { positiveDuration } from './duration.ts';
import { entryKeys, type LdapMapping } from './ldap.ts';
import { named } from './name.ts';
import { common, mapping } from './target.ts';

const transferForm = z.strictObject({
  run: z
    .array(z.string())
    .min(1)
    .describe('The program and its arguments; {file} stands for the file, which is the last argument otherwise'),
  timeout: positiveDuration.prefault('5m').describe('How long it may take for one file; then it is killed'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe('Its environment, beside PATH and LANG; nothing else of ours is passed on'),
});

const publishError = 'expected "at once", or one or more of every, count and at, such as { every: 15m, count: 1000 }';
const publish = z
  .union(
    [
      z.literal('at once').transform((): { every?: number; count?: number; at?: string } => ({})),
      z
        .strictObject({
          every: positiveDuration.optional().describe('When the oldest change that waits is so old'),
          count: z.int().min(1).optional().describe('When so many changes wait; no file of changes has more'),
          at: cron.optional().describe('At these times; cron fields, UTC'),
        })
        .refine((given) => Object.keys(given).length > 0, { error: publishError }),
    ],
    { error: publishError },
  )
  .prefault('at once')
  .describe('When files are made; of several conditions, whichever is met first');

const flow = {
  type: z.literal('file').describe('The kind of target: files for others to read'),
  ...common,
  folder: z.string().describe("Where the files are made; relative to this file's folder. It must be there"),
  name: z
    .string()
    .describe('How files are called: {sequence}, {sequence:8} for its digits, {entity}, {date}, {time} (UTC)'),
  content: z
    .enum(['changes', 'snapshot'])
    .default('changes')
    .describe('changes: a record for each change; snapshot: everything that is there, written anew when it changed'),
  publish,
  permissions: z
    .string({ error: 'expected permissions in quotes, such as "0640"' })
    .regex(/^0?[0-7]{3}$/, { error: 'expected permissions in quotes, such as "0640"' })
    .default('0640')
    .transform((text) => Number.parseInt(text, 8))
    .describe('The permissions of the files, octal, in quotes'),
  command: z
    .union([
      z
        .array(z.string())
        .min(1)
        .transform((run) => transferForm.parse({ run })),
      transferForm,
    ])
    .optional()
    .describe('A program that is called after each file, to transfer it; tried again until it succeeds'),
};

const field = (what: string) =>
  z
    .union([z.string().min(1), z.literal(false)])
    .optional()
    .describe(what);
const fields = z
  .strictObject({
    entity: field('Which entity it is of. Default: entity, where a file has several; else none'),
    operation: field('create, update, rename or delete. Default: operation'),
    sequence: field('The number of the change, without gaps. Default: sequence'),
    at: field('When it was recorded, UTC. Default: at'),
    id: field('The id. Default: id; in a snapshot none'),
    formerId: field('The id before, of a rename. Default: former_id'),
  })
  .prefault({})
  .describe('How what is told of each record beside its attributes is called; false leaves it out');

const members = z
  .strictObject({
    ref: z.string().describe('The entity that the keys in `from` belong to'),
    from: z.string().describe('A column of the view: an array of keys'),
    empty: z
      .literal('delete')
      .optional()
      .describe('delete: whatever has no member is not there. Default: an empty list'),
  })
  .transform(({ empty = 'placeholder', ...given }) => ({
    ...attribute.parse({ ...given, empty }),
    as: 'list' as const,
  }));

const plainMapping = z
  .strictObject({
    ...mapping,
    id: z.string().describe("Template of an entry's id over the columns of the view; no two entries have the same"),
    attributes: z
      .record(z.string(), z.union([documentAttribute, members]))
      .describe('Column, or path in a document → template, column, constant or members; in the order of the columns'),
    disable: z
      .strictObject({ attributes: z.record(z.string(), z.string()).describe('Attribute → template') })
      .optional()
      .describe('What to write of an identity that has left the view, for `deprovision: disable`'),
  })
  .transform((given): typeof given & Pick<LdapMapping, 'disable' | 'password'> => given);

const ldifMapping = z.strictObject(entryKeys).transform((given): typeof given & Pick<LdapMapping, 'password'> => given);

const csv = z.strictObject({
  ...flow,
  format: z.literal('csv').describe('Comma-separated values (RFC 4180)'),
  fields,
  header: z.boolean().default(true).describe('Whether the first line names the columns'),
  delimiter: z.string().length(1).default(',').describe('What stands between two columns'),
  quote: z.string().length(1).default('"').describe('What values are put in; doubled inside of them'),
  quoting: z.enum(['needed', 'all']).default('needed').describe('Which values are quoted'),
  lineEnding: z.enum(['crlf', 'lf']).default('crlf').describe('How lines end'),
  encoding: z
    .enum(['utf-8', 'utf-8-bom', 'latin1', 'windows-1252', 'utf-16le', 'utf-16le-bom'])
    .default('utf-8')
    .describe('The encoding; who has a character that it lacks is parked. -bom: with a byte order mark'),
  separator: z.string().length(1).default('|').describe('What stands between the values of a list'),
  escape: z
    .string()
    .length(1)
    .optional()
    .describe('What is put before a separator inside a value. Left out: who has such a value is parked'),
  defuse: z
    .boolean()
    .default(false)
    .describe('Put an apostrophe before what a spreadsheet would take for a formula (=, +, -, @, tab, CR)'),
  entities: named(plainMapping).describe('The entities that are in the flow, and their columns'),
});

const jsonl = z.strictObject({
  ...flow,
  format: z.literal('jsonl').describe('JSON Lines: a JSON document in each line'),
  fields,
  entities: named(plainMapping).describe('The entities that are in the flow, and their documents'),
});

const ldif = z.strictObject({
  ...flow,
  format: z.literal('ldif').describe('LDIF (RFC 2849), which ldapmodify takes as it is'),
  binary: z.array(z.string()).default([]).describe('Attributes whose values are bytes, beyond those known to be'),
  placeholder: z.string().default('cn=nobody').describe('The member of a group that has none'),
  entities: named(ldifMapping).describe('The entities that are in the flow, and how they look there'),
});

export const file = z.discriminatedUnion('format', [csv, jsonl, ldif]);

export type FileConfig = z.output<typeof file>;
export type PlainConfig = z.output<typeof csv> | z.output<typeof jsonl>;
export type CsvConfig = z.output<typeof csv>;
export type JsonlConfig = z.output<typeof jsonl>;
export type LdifConfig = z.output<typeof ldif>;
