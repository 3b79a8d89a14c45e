import { access, constants, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createScratch } from '../src/demo/scratch.ts';
import { runProgram } from './program.ts';
import type { Run } from './run.ts';

/** Where `bootstrap.mjs` puts a pgbench if the system has none. */
const unpacked = fileURLToPath(new URL('../node_modules/.cache/pgbench/', import.meta.url));
const debian = '/usr/lib/postgresql';

/** Single-row changes of people at random, each a transaction. */
const script = `\\set id random(1, :people)
\\set number random(1000000, 9999999)
update registry.person set phone = '+39 06 ' || :number where id = :id;
`;

export class Pgbench {
  readonly #program: string;
  readonly #script: string;
  readonly #run: Run;

  private constructor(program: string, script: string, run: Run) {
    this.#program = program;
    this.#script = script;
    this.#run = run;
  }

  static async prepare(run: Run, stack: AsyncDisposableStack): Promise<Pgbench> {
    const scratch = await createScratch('pgbench');
    stack.defer(() => scratch.remove());
    const file = join(scratch.path, 'change.sql');
    await writeFile(file, script);
    return new Pgbench(await findPgbench(), file, run);
  }

  /** Has so many clients change people as fast as they can; answers with the transactions per second. */
  async measure(url: string, { clients, people, seconds }: Record<'clients' | 'people' | 'seconds', number>) {
    const { hostname, port, username, password, pathname } = new URL(url);
    // Not as an argument, which everybody on the machine can read.
    const env = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: decodeURIComponent(password) };
    const load = [
      '-n',
      '-M',
      'prepared',
      '-c',
      String(clients),
      '-j',
      '2',
      '-T',
      String(Math.max(1, Math.round(seconds))),
    ];
    const { stdout } = await runProgram(
      this.#program,
      [...load, '-f', this.#script, '-D', `people=${people}`, pathname.slice(1)],
      { env, stop: this.#run.stop },
    );
    const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
    if (tps === undefined) throw new Error(`pgbench said nothing of its speed:\n${stdout}`);
    return Number(tps);
  }
}

/** Where Debian puts it, where `bootstrap.mjs` does, or in PATH, where Debian has a script that looks for it. */
async function findPgbench(): Promise<string> {
  const versions = (await readdir(debian).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const installed = versions.map((version) => join(debian, version, 'bin'));
  for (const folder of [...installed, unpacked, ...(process.env.PATH ?? '').split(delimiter)]) {
    const program = join(folder, 'pgbench');
    const found = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && found) return program;
  }
  throw new Error(
    'there is no pgbench: it is in Debian’s package postgresql-15, and `npm run bench` gets it from there',
  );
}
