/** Reads a directory through OpenLDAP's own ldapsearch. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dnKey, readDn } from './dn-reader.ts';
import { type LdifEntry, readLdif } from './ldif.ts';

/** A directory, and as whom to read it. */
export interface DirectoryAddress {
  readonly url: string;
  /** Its entries are in `ou=people` and `ou=groups` below this. */
  readonly suffix: string;
  readonly bind: { readonly dn: string; readonly password: string };
  /** File of the certificate authority to trust, where the URL is ldaps://. */
  readonly ca?: string;
}

/** An entry as the directory has it. */
export interface FoundEntry {
  /** As the server writes it. */
  readonly dn: string;
  readonly attributes: LdifEntry;
}

const run = promisify(execFile);

/** Every entry below ou=people and ou=groups with all its user attributes, by `dnKey`. */
export async function readDirectory({ url, suffix, bind, ca }: DirectoryAddress): Promise<Map<string, FoundEntry>> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-compare-'));
  try {
    const password = join(folder, 'password');
    await writeFile(password, bind.password, { mode: 0o600 });
    // HOME: no settings of a person's own.
    const tls = ca === undefined ? {} : { LDAPTLS_CACERT: ca };
    const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, ...tls };
    const found = new Map<string, FoundEntry>();
    for (const unit of ['people', 'groups']) {
      const login = ['-x', '-LLL', '-H', url, '-D', bind.dn, '-y', password];
      const search = ['-E', 'pr=1000/noprompt', '-b', `ou=${unit},${suffix}`, '-s', 'children', '(objectClass=*)', '*'];
      const { stdout } = await run('ldapsearch', [...login, ...search], { env, maxBuffer: Number.MAX_SAFE_INTEGER });
      for (const [dn, attributes] of readLdif(stdout)) {
        const key = dnKey(readDn(dn));
        if (found.has(key)) throw new Error(`cannot tell two entries apart: ${dn}, ${found.get(key)?.dn}`);
        found.set(key, { dn, attributes });
      }
    }
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
}
