/**
 * The shape of `staffetta.yml`, as zod schemas. Everything the file may say stands here with its meaning and default;
 * `load.ts` reads a file into `Config`, `problem.ts` words what is wrong with it.
 */
import { z } from 'zod';
import { attribute } from './attribute.ts';
import { cron } from './cron.ts';
import { duration, positiveDuration } from './duration.ts';
import { hooks } from './hooks.ts';
import { scriptKeys, scriptMapping } from './script.ts';
import { HiddenSecret, type Secret } from './secret.ts';

/** What names of entities and targets look like: they become part of SQL names, so they are short and plain. */
export const namePattern = /^[a-z][a-z0-9]{0,19}$/;

const name = z.string();

/** Things by their names; `check.ts` looks at the names, so that what a bad one holds is validated all the same. */
const named = <T extends z.ZodType>(value: T) =>
  z.record(name, value).meta({ propertyNames: { pattern: namePattern.source } });

// A bind with a name but no password is an anonymous one that succeeds (RFC 4513, 5.1.2).
const emptySecret = 'expected a password that is not empty';

/** A value given in the file (usually through `${ENV}`), or read from a file such as a mounted secret. */
const secret = z
  .union([
    z.string().min(1, { error: emptySecret }),
    z.strictObject({ file: z.string().describe("File that holds it; relative to this file's folder") }),
  ])
  .transform((given): Secret => new HiddenSecret(given));

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
const mapping = {
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

const passwordForms = ['exop', 'cleartext', 'ssha512'] as const;
const ldapPassword = z.strictObject({
  attribute: z.string().default('userPassword').describe('Where it is written, unless the form is exop'),
  form: z
    .enum(passwordForms)
    .default('exop')
    .describe(
      'exop: the server is asked to set it (RFC 3062), by its own rules; cleartext: written as it is; ssha512: its salted hash',
    ),
});

const ldapMapping = z.strictObject({
  ...mapping,
  dn: z.string().describe('Template of the distinguished name over the columns of the view'),
  disable: z
    .strictObject({
      attributes: z.record(z.string(), z.string()).default({}).describe('Attribute → template'),
      dn: z.string().optional().describe('Template of the distinguished name of a disabled entry'),
    })
    .optional()
    .describe('What to write to the entry of an identity that has left the view, for `deprovision: disable`'),
  password: z
    .union([z.enum(passwordForms).transform((form): z.input<typeof ldapPassword> => ({ form })), ldapPassword])
    .pipe(ldapPassword)
    .optional()
    .describe('Entries take passwords that are handed over, in this form. Left out: they take none'),
});

// Scripts cannot be asked what they hold, so nothing is matched; to disable an identity is an action of theirs.
const { match: _, ...written } = mapping;
const scriptEntity = z
  .strictObject({
    ...written,
    ...scriptMapping(attribute),
    password: z
      .literal(true)
      .optional()
      .describe('Backends are told of passwords that are handed over. Left out: of none'),
  })
  .transform((given): typeof given & Pick<LdapMapping, 'match' | 'disable'> => ({
    ...given,
    disable: { attributes: { enabled: 'FALSE' } },
  }));

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
const common = {
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

const tls = z.strictObject({
  ca: z.string().optional().describe('File of the certificate authorities to trust, PEM'),
  cert: z.string().optional().describe('File of the client certificate, PEM'),
  key: z.string().optional().describe('File of the key of the client certificate, PEM'),
  serverName: z.string().optional().describe('The name to expect in the certificate'),
});

export const ldap = z.strictObject({
  type: z.literal('ldap').describe('The kind of target: an LDAP directory'),
  ...common,
  url: z
    .union([z.string().transform((url) => [url]), z.array(z.string()).min(1)])
    .describe('ldap:// or ldaps://; several are tried in order'),
  startTls: z
    .boolean()
    .default(false)
    .describe('Turn an ldap:// connection into an encrypted one before anything else is sent'),
  tls: tls.optional().describe('Whom to trust on encrypted connections, and who we are. Default: as Node.js trusts'),
  bind: z
    .strictObject({
      dn: z.string().describe('The distinguished name to log in as'),
      password: secret.describe('Its password, or { file } that holds it'),
    })
    .optional()
    .describe('Who to log in as. Left out: anonymous'),
  binary: z.array(z.string()).default([]).describe('Attributes whose values are bytes, beyond those known to be'),
  placeholder: z.string().default('cn=nobody').describe('The member of a group that has none'),
  entities: named(ldapMapping).describe('The entities that this target follows, and how they look there'),
});

export const script = z.strictObject({
  type: z.literal('script').describe('The kind of target: programs that read JSON from standard input'),
  ...common,
  ...scriptKeys,
  entities: named(scriptEntity).describe('The entities that this target follows, and how their documents look'),
});

const target = z.discriminatedUnion('type', [ldap, script]);

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
export type LdapConfig = z.output<typeof ldap>;
export type LdapMapping = z.output<typeof ldapMapping>;
export type ScriptConfig = z.output<typeof script>;
export type ScriptMapping = ScriptConfig['entities'][string];
export type MappingConfig = TargetConfig['entities'][string];
export type { AttributeConfig } from './attribute.ts';
