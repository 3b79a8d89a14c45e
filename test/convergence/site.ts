/** Where a history takes place: a database with the registry, two directories, and up to three targets in them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apply } from '../../src/apply/apply.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createPool } from '../../src/database/pool.ts';
import type { Database } from '../setup/database.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { type Process, spawnStaffetta } from '../setup/process.ts';
import { quick, tables } from '../setup/registry.ts';
import { writeWhole } from '../setup/whole-file.ts';
import { additions } from './application.ts';
import { type Means, meansOf } from './conduct.ts';
import { configurationOf, type MappingName, type Mode } from './configuration.ts';
import { type Counterpart, createCounterpart } from './counterpart.ts';
import { type TargetName, targetNames, unitsOf } from './desired.ts';
import type { History } from './history.ts';
import { inhabitants } from './inhabitants.ts';
import { departures, Order } from './order.ts';
import { past } from './past.ts';
import { openProxy, type TcpProxy } from './proxy.ts';
import type { Request } from './wire.ts';
import { Witness } from './witness.ts';

/** What a history asks of a database. */
export type Ground = Pick<Database, 'url' | 'query' | 'drop'>;

/** A target with everything between the daemons and its entries. */
export interface Followed {
  readonly name: TargetName;
  readonly directory: Directory;
  readonly proxy: TcpProxy;
  readonly witness: Witness;
  /** Who is told instead of the directory, which holds in the end what they were told; undefined: nobody. */
  readonly counterpart: Counterpart | undefined;
}

export interface Site {
  /** Connection string of the superuser. */
  readonly url: string;
  readonly query: Database['query'];
  /** The targets that the history follows. */
  readonly targets: ReadonlyMap<TargetName, Followed>;
  /** A target; one that the history does not follow stands for the first one. */
  followed(name: TargetName): Followed;
  /** How a target is written. */
  means(name: TargetName): Means;
  /** Where the targets come in an order: whether they do. */
  readonly order: Order | undefined;
  /** Writes the file that daemons started from now on read. `modes`: of targets that are not live. */
  configure(mapping: MappingName, modes: ReadonlyMap<TargetName, Mode>): Promise<void>;
  /** Applies what the file says. */
  apply(): Promise<void>;
  /** Starts `staffetta run` as a process. */
  spawnDaemon(): Process;
  /** Runs a command to its end. */
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>;
  close(): Promise<void>;
}

/** Seconds that a claim lasts. */
export const leaseSeconds = 1.5;

/** Tunables that bring the long waits of a real installation within a history. */
const parameters = {
  ...quick,
  LEASE_SECONDS: leaseSeconds,
  BULK_ROWS: 20,
  RETRY_MAX_SECONDS: 1,
};

const plant = fileURLToPath(new URL('./plant.ts', import.meta.url));

/** Makes the site; nothing is applied yet but Staffetta's own schema. `bug`: planted into every daemon. */
export async function createSite(
  ground: Ground,
  { targets: many, slots, batch, conduct }: Pick<History, 'targets' | 'slots' | 'batch' | 'conduct'>,
  bug?: string,
): Promise<Site> {
  const names = targetNames.slice(0, many);
  // The first target has a directory of its own, the others share one.
  const directories = await Promise.all([createDirectory(), createDirectory()]);
  const [own, shared] = directories;
  const order = conduct.ordered ? new Order() : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-history-'));
  const followed = await Promise.all(
    names.map(async (name): Promise<[TargetName, Followed]> => {
      const directory = name === 'directory' ? own : shared;
      const witness = new Witness(name, conduct);
      const asked = (request: Request) => {
        witness.asked(request);
        order?.asked(name, request);
      };
      const done = (request: Request) => witness.done(request);
      const counterpart = await createCounterpart(meansOf(name, conduct), folder, directory.suffix);
      const proxy = counterpart?.proxy ?? (await openProxy(directory.url, { asked, done }, witness));
      return [name, { name, directory, witness, proxy, counterpart }];
    }),
  );
  const targets = new Map(followed);
  const [[, first] = []] = followed;
  if (!first) throw new Error('a history follows at least one target');
  const file = join(folder, 'staffetta.yml');
  const env = {
    DATABASE_URL: ground.url,
    LDAP_SUFFIX: own.suffix,
    ...Object.fromEntries(
      followed.flatMap(([name, { directory, proxy, counterpart }]) => [
        [`${name.toUpperCase()}_URL`, proxy.url],
        [`${name.toUpperCase()}_BIND_DN`, directory.bind.dn],
        [`${name.toUpperCase()}_PASSWORD`, directory.bind.password],
        ...Object.entries(counterpart?.env ?? {}).map(([what, value]) => [`${name.toUpperCase()}_${what}`, value]),
      ]),
    ),
  };
  const planted = bug === undefined ? {} : { STAFFETTA_BUG: bug };
  const processes = new Set<Process>();

  for (const [name, { directory }] of targets) await directory.add(units(name, directory));
  await ground.query(`${tables}${additions}${past}${departures}${conduct.inhabited ? inhabitants : ''}`);
  const spawn = (args: readonly string[], node: readonly string[] = []) => {
    const variables = { ...env, ...planted };
    const started = spawnStaffetta([...args, '--config', file], variables, node);
    processes.add(started);
    return started;
  };

  return {
    url: ground.url,
    query: ground.query,
    targets,
    order,
    followed: (name) => targets.get(name) ?? first,
    means: (name) => meansOf(name, conduct),
    configure: (mapping, modes) =>
      writeWhole(file, configurationOf(mapping, { targets: names, slots, batch, conduct, modes })),
    apply: async () => {
      const pool = createPool(ground.url, 'test apply');
      try {
        await apply(pool, loadConfig(file, env));
        // There are entries already, nobody's: the units.
        if (!conduct.inhabited) await pool.query('update staffetta.target set admitted = true where not admitted');
        for (const [code, number] of Object.entries(parameters))
          await pool.query(
            'update staffetta.parameter set number = $2, minimum = least(minimum, $2) where code = $1 and number <> $2',
            [code, number],
          );
      } finally {
        await pool.end();
      }
    },
    spawnDaemon: () => spawn(['run'], bug === undefined ? [] : ['--import', plant]),
    run: async (...args) => {
      const { ended, printed } = spawn(args);
      return { code: await ended, ...printed };
    },
    close: async () => {
      for (const { child } of processes) child.kill('SIGKILL');
      await Promise.all(
        [...targets.values()].flatMap(({ proxy, counterpart }) => [proxy.close(), counterpart?.close()]),
      );
      await Promise.all(directories.map((directory) => directory.close()));
      await ground.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** The units of a target that a new directory lacks. */
function units(target: TargetName, { suffix }: Directory): string {
  const lacking = unitsOf(target).filter((unit) => unit !== 'ou=people' && unit !== 'ou=groups');
  return lacking
    .map((unit) => `dn: ${unit},${suffix}\nobjectClass: organizationalUnit\nou: ${unit.replace('ou=', '')}\n`)
    .join('\n');
}
