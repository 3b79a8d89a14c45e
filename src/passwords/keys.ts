/**
 * The pair of keys that passwords are sealed and opened with (OpenPGP, RFC 9580): the database has the public one, only
 * daemons have the other. RSA, because that is what pgcrypto seals with.
 */
import type { PrivateKey } from 'openpgp';
import { readSecret, type Secret, SecretError } from '../config/secret.ts';

/** Who the key belongs to; nobody looks at it. */
const holder = { name: 'Staffetta' };

/** A new private key, in OpenPGP's armor and without a passphrase: it is a secret like the password of a target. */
export async function generateKey(): Promise<string> {
  const { generateKey: generate } = await import('openpgp');
  const { privateKey } = await generate({ type: 'rsa', rsaBits: 3072, userIDs: [holder], format: 'armored' });
  return privateKey;
}

/** The public half of the configured private key. Throws SecretError where that is none. */
export async function publicKeyOf(secret: Secret): Promise<string> {
  return (await readKey(secret)).toPublic().armor();
}

/** The configured private key. Throws SecretError where it is none, or locked with a passphrase. */
export async function readKey(secret: Secret): Promise<PrivateKey> {
  const { readPrivateKey } = await import('openpgp');
  const armoredKey = readSecret(secret);
  const key = await readPrivateKey({ armoredKey }).catch(() => {
    throw new SecretError(`passwords.key is no OpenPGP private key; "staffetta password-key" makes one`);
  });
  if (!key.isDecrypted())
    throw new SecretError(
      'passwords.key is locked with a passphrase, which no daemon could ask for; expected one without',
    );
  return key;
}
