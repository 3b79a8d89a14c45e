/** The OpenLDAP server of a measurement, and OpenLDAP's own tools on it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'ldapts';
import { addSkeleton } from '../src/demo/ldap-tools.ts';
import { type SlapdOptions, type SlapdServer, startSlapd } from '../src/demo/slapd.ts';
import { type Ran, runProgram } from './program.ts';

export class Directory {
  readonly server: SlapdServer;
  readonly #login: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #files = 0;

  private constructor(server: SlapdServer, passwordFile: string) {
    const { url, bind, folder, suffix } = server;
    this.server = server;
    this.#login = ['-x', '-H', url, '-D', bind.dn, '-y', passwordFile];
    // HOME: no settings of a person's own.
    this.#env = { HOME: folder, LDAPBASE: suffix };
  }

  /** Starts one with its suffix, `ou=people` and `ou=groups`; it is gone when `stack` is disposed of. */
  static async start(stack: AsyncDisposableStack, options: SlapdOptions = {}): Promise<Directory> {
    const server = await startSlapd(options);
    stack.defer(() => server.close());
    await addSkeleton(server);
    const passwordFile = join(server.folder, 'password');
    await writeFile(passwordFile, server.bind.password, { mode: 0o600 });
    return new Directory(server, passwordFile);
  }

  /** The path of a new file in the server's own folder. */
  file(name: string): string {
    this.#files += 1;
    return join(this.server.folder, `${this.#files}-${name}`);
  }

  /** Has ldapadd or ldapmodify send a file of LDIF. */
  send(tool: 'ldapadd' | 'ldapmodify', file: string, stop: AbortSignal): Promise<Ran> {
    return runProgram(tool, [...this.#login, '-f', file], { env: this.#env, output: '/dev/null', stop });
  }

  /** Has ldapsearch read every person, page by page, into a file. */
  readPeople(output: string, stop: AbortSignal): Promise<Ran> {
    const paged = ['-LLL', '-o', 'ldif_wrap=no', '-E', 'pr=1000/noprompt'];
    const search = [...this.#login, ...paged, '(objectClass=inetOrgPerson)', '*'];
    return runProgram('ldapsearch', search, { env: this.#env, output, stop });
  }

  /** Opens a connection with all rights, closed when `stack` is disposed of. */
  async connect(stack: AsyncDisposableStack): Promise<Client> {
    const { url, bind } = this.server;
    const client = new Client({ url });
    stack.defer(() => client.unbind());
    await client.bind(bind.dn, bind.password);
    return client;
  }

  /** Throws unless so many people have this telephone number, which is what measurements change. */
  expectPhone(phone: string, count: number): Promise<void> {
    return this.#expect(`(telephoneNumber=${phone})`, count);
  }

  /** Throws unless there are so many people. */
  expectPeople(count: number): Promise<void> {
    return this.#expect('(objectClass=inetOrgPerson)', count);
  }

  async #expect(filter: string, count: number): Promise<void> {
    await using stack = new AsyncDisposableStack();
    const client = await this.connect(stack);
    let found = 0;
    // In pages: a million at once are more than the client can take.
    const paged = { filter, attributes: ['1.1'], paged: { pageSize: 1_000 } };
    for await (const { searchEntries } of client.searchPaginated(this.server.suffix, paged))
      found += searchEntries.length;
    if (found !== count) throw new Error(`${found} entries of the directory meet ${filter}, not ${count}`);
  }
}
