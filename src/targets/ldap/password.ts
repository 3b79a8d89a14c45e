/** A password as it is written to an entry. */
import { createHash, randomBytes } from 'node:crypto';
import { BerWriter, ExtendedRequest } from 'ldapts';
import type { LdapMapping } from '../../config/ldap.ts';

/** How a mapping has passwords written. */
export type PasswordForm = NonNullable<LdapMapping['password']>['form'];

/** The Password Modify operation (RFC 3062). */
const passwordModifyOid = '1.3.6.1.4.1.4203.1.11.1';

/** Elements of PasswdModifyRequestValue (RFC 3062 §2): whose, and the new one. The old one is for whoever is no administrator. */
const userIdentity = 0x80;
const newPassword = 0x82;

/** Has the server set the password of an entry, in the form and by the rules that it is configured for. */
export function passwordModify(dn: string, password: string): ExtendedRequest {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeString(dn, userIdentity);
  writer.writeString(password, newPassword);
  writer.endSequence();
  return new ExtendedRequest({ messageId: 0, oid: passwordModifyOid, value: writer.buffer });
}

/** The value of the attribute, where that is written and not the server asked. */
export function passwordValue(form: Exclude<PasswordForm, 'exop'>, password: string): string {
  return form === 'cleartext' ? password : ssha512(password, randomBytes(16));
}

/** As RFC 2307 §5.3 has hashes, with SHA-512 and a salt behind the digest: what OpenLDAP's pw-sha2 verifies. */
function ssha512(password: string, salt: Buffer): string {
  const digest = createHash('sha512').update(password).update(salt).digest();
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`;
}
