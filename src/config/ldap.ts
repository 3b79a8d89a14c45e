/** What staffetta.yml says of an `ldap` target. */
import { z } from 'zod';
import { secret } from './given-secret.ts';
import { named } from './name.ts';
import { common, mapping } from './target.ts';
import { tls } from './tls.ts';

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

/** What is said of an entity whose entries have distinguished names, in a directory or in LDIF. */
export const entryKeys = {
  ...mapping,
  dn: z.string().describe('Template of the distinguished name over the columns of the view'),
  disable: z
    .strictObject({
      attributes: z.record(z.string(), z.string()).default({}).describe('Attribute → template'),
      dn: z.string().optional().describe('Template of the distinguished name of a disabled entry'),
    })
    .optional()
    .describe('What to write to the entry of an identity that has left the view, for `deprovision: disable`'),
};

const ldapMapping = z.strictObject({
  ...entryKeys,
  password: z
    .union([z.enum(passwordForms).transform((form): z.input<typeof ldapPassword> => ({ form })), ldapPassword])
    .pipe(ldapPassword)
    .optional()
    .describe('Entries take passwords that are handed over, in this form. Left out: they take none'),
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

export type LdapConfig = z.output<typeof ldap>;
export type LdapMapping = z.output<typeof ldapMapping>;
