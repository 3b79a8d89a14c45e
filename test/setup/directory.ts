/** Directories for tests: each is an OpenLDAP server of its own, seen and changed through OpenLDAP's own tools. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type LdifEntry, readLdif } from '../../src/demo/ldif.ts';
import { type SlapdOptions, type SlapdServer, startSlapd } from '../../src/demo/slapd.ts';

const run = promisify(execFile);

export interface Directory extends SlapdServer {
  /** What ldapsearch prints (LDIF, lines not folded) for further arguments such as a filter; base: the suffix. */
  ldapsearch(...args: readonly string[]): Promise<string>;
  /** The entries below the suffix that a filter (default: every entry) finds, by DN as the server writes it. */
  entries(filter?: string, ...attributes: readonly string[]): Promise<Map<string, LdifEntry>>;
  /** Adds the entries of an LDIF text. */
  add(ldif: string): Promise<void>;
  /** Makes the changes of an LDIF text (`changetype: modify`, `delete`, `modrdn` …). */
  modify(ldif: string): Promise<void>;
}

function skeleton(suffix: string): string {
  const value = /^dc=([^,]+)/i.exec(suffix)?.[1];
  if (value === undefined) throw new Error(`the suffix of a test directory starts with dc=, not ${suffix}`);
  const unit = (name: string) => `dn: ou=${name},${suffix}\nobjectClass: organizationalUnit\nou: ${name}\n`;
  const root = `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: ${value}\no: ${value}\n`;
  return [root, unit('people'), unit('groups')].join('\n');
}

/** Starts a directory with its suffix (default `dc=example,dc=org`), `ou=people` and `ou=groups`. */
export async function createDirectory(options: SlapdOptions = {}): Promise<Directory> {
  const server = await startSlapd({ durable: false, ...options });
  const { url, suffix, bind, folder } = server;
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, bind.password, { mode: 0o600 });
  const login = ['-x', '-H', url, '-D', bind.dn, '-y', passwordFile];
  // The base by environment: an argument `-b` of a caller's own then replaces it. HOME: no settings of a person's own.
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LDAPBASE: suffix, LDAPTLS_CACERT: server.ca };

  const ldapsearch = async (...args: readonly string[]) => {
    const options = { env, maxBuffer: Number.MAX_SAFE_INTEGER };
    return (await run('ldapsearch', [...login, '-LLL', '-o', 'ldif_wrap=no', ...args], options)).stdout;
  };
  const change = async (tool: 'ldapadd' | 'ldapmodify', ldif: string) => {
    const file = join(folder, `${randomBytes(6).toString('hex')}.ldif`);
    await writeFile(file, ldif, { mode: 0o600 });
    await run(tool, [...login, '-f', file], { env });
  };
  try {
    await change('ldapadd', skeleton(suffix));
  } catch (error) {
    await server.close();
    throw error;
  }
  return {
    ...server,
    // A spread would keep the process id of the moment.
    get pid() {
      return server.pid;
    },
    ldapsearch,
    entries: async (filter = '(objectClass=*)', ...attributes: readonly string[]) =>
      readLdif(await ldapsearch(filter, ...attributes)),
    add: (ldif: string) => change('ldapadd', ldif),
    modify: (ldif: string) => change('ldapmodify', ldif),
  };
}
