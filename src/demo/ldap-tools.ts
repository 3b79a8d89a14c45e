/** Changes a directory as its administrator would by hand: with OpenLDAP's ldapadd and ldapmodify. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SlapdServer } from './slapd.ts';

const run = promisify(execFile);

/** Adds the entries, or makes the changes (`changetype: …`), of an LDIF text. */
export async function changeByHand(server: SlapdServer, ldif: string): Promise<void> {
  const { url, bind, folder } = server;
  const file = (name: string) => join(folder, `${name}-${randomBytes(6).toString('hex')}`);
  const [password, changes] = [file('password'), file('changes')];
  await Promise.all([
    writeFile(password, bind.password, { mode: 0o600 }),
    writeFile(changes, ldif.concat('\n'), { mode: 0o600 }),
  ]);
  try {
    // HOME: no settings of a person's own.
    const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder };
    await run('ldapmodify', ['-a', '-x', '-H', url, '-D', bind.dn, '-y', password, '-f', changes], { env });
  } finally {
    await Promise.all([rm(password, { force: true }), rm(changes, { force: true })]);
  }
}

/** The entries that have to be there before anybody can be replicated: the suffix, `ou=people` and `ou=groups`. */
export async function addSkeleton(server: SlapdServer): Promise<void> {
  const { suffix } = server;
  const root = [`dn: ${suffix}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: example', 'o: University'];
  const units = ['people', 'groups'].map((name) => [
    `dn: ou=${name},${suffix}`,
    'objectClass: organizationalUnit',
    `ou: ${name}`,
  ]);
  await changeByHand(server, [root, ...units].map((lines) => lines.join('\n')).join('\n\n'));
}
