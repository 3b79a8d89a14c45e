/** A university's database and its directory, with Staffetta between them. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { parseDocument } from 'yaml';
import { apply } from '../src/apply/apply.ts';
import { type LoadedConfig, loadConfig } from '../src/config/load.ts';
import { createPool } from '../src/database/pool.ts';
import { configFile } from '../src/demo/stage.ts';
import { cli, Daemon } from './daemon.ts';
import type { Directory } from './directory.ts';
import { type Ran, runProgram } from './program.ts';
import type { Run } from './run.ts';

/** Between two looks whether all is done, in milliseconds. */
const interval = 50;
/** How long nothing may move before something is wrong, in milliseconds. */
const patience = 120_000;

/** Changes the text of the demo's `staffetta.yml`; measurements use its directory as it is, but for the hook, unless they say so. */
export type Configure = (text: string) => string;

export class Site {
  /** Connections of the database's superuser. */
  readonly pool: pg.Pool;
  readonly directory: Directory;
  readonly loaded: LoadedConfig;
  readonly #run: Run;
  readonly #stack: AsyncDisposableStack;
  readonly #env: Readonly<Record<string, string>>;
  readonly #daemons: Daemon[] = [];

  private constructor(
    run: Run,
    stack: AsyncDisposableStack,
    database: pg.Pool,
    directory: Directory,
    loaded: LoadedConfig,
    env: Readonly<Record<string, string>>,
  ) {
    this.#run = run;
    this.#stack = stack;
    this.pool = database;
    this.directory = directory;
    this.loaded = loaded;
    this.#env = env;
  }

  /** Applies the configuration to a university's database. Nothing is carried before a daemon is started. */
  static async open(
    run: Run,
    stack: AsyncDisposableStack,
    url: string,
    directory: Directory,
    { configure = (text) => text, ldapUrl = directory.server.url }: { configure?: Configure; ldapUrl?: string } = {},
  ): Promise<Site> {
    const { bind, suffix } = directory.server;
    const env = {
      DATABASE_URL: url,
      LDAP_URL: ldapUrl,
      LDAP_BIND_DN: bind.dn,
      LDAP_PASSWORD: bind.password,
      LDAP_SUFFIX: suffix,
    };
    const config = directory.file('staffetta.yml');
    await writeFile(config, configure(directoryAlone(await readFile(configFile, 'utf8'))));
    const pool = createPool(url, 'staffetta bench');
    stack.defer(() => pool.end());
    const loaded = loadConfig(config, env);
    await apply(pool, loaded);
    return new Site(run, stack, pool, directory, loaded, env);
  }

  /** Starts `staffetta run`. */
  async startDaemon(): Promise<Daemon> {
    const daemon = await Daemon.start(this.#stack, this.loaded.file, this.#env);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Runs another command of Staffetta to its end. */
  command(...args: readonly string[]): Promise<Ran> {
    const { stop } = this.#run;
    return runProgram(process.execPath, [cli, ...args, '--config', this.loaded.file], { env: this.#env, stop });
  }

  /** Starts a daemon and has it carry everybody to the directory. */
  async load(): Promise<Daemon> {
    const daemon = await this.startDaemon();
    await this.carried();
    await this.pool.query('vacuum analyze');
    return daemon;
  }

  /** Does something to the database; answers with the milliseconds from its beginning until the directory has all of it. */
  async carry(statement: string, values: readonly unknown[]): Promise<number> {
    const started = performance.now();
    await this.pool.query(statement, [...values]);
    await this.carried();
    return performance.now() - started;
  }

  /** Waits until nothing is owed: no event, no delivery, no rescan. Throws where nothing moves any more. */
  async carried(): Promise<void> {
    const { stop } = this.#run;
    let looked = performance.now();
    let before = '';
    while (await this.#owes()) {
      await setTimeout(interval, undefined, { signal: stop });
      if (performance.now() - looked < patience) continue;
      looked = performance.now();
      for (const daemon of this.#daemons) await daemon.check();
      const now = await this.#progress();
      if (now === before) throw new Error(`nothing has moved for ${patience / 1_000} s: ${now}`);
      before = now;
    }
  }

  /** The names of the people's entries whose id is greater than this. */
  async namesAfter(id: number): Promise<string[]> {
    const { rows } = await this.pool.query<{ name: string }>(
      `select remote_id as name from staffetta.link where (target, entity) = ('directory', 'person') and key::bigint > $1`,
      [id],
    );
    return rows.map(({ name }) => name);
  }

  async #owes(): Promise<boolean> {
    const { rows } = await this.pool.query<{ owes: boolean }>(
      // In the order of an index: a look at the table would pass all that was paid and is not cleared away yet.
      `select coalesce((select true from staffetta.event order by xid, seq limit 1),
         (select true from staffetta.delivery order by target, entity, key limit 1),
         exists (select from staffetta.route where rescan > 0)) as owes`,
    );
    return rows[0]?.owes ?? true;
  }

  async #progress(): Promise<string> {
    const { rows } = await this.pool.query<{ said: string }>(
      `select concat_ws(' ', (select count(*) from staffetta.event), 'events,', (select count(*) from staffetta.delivery),
         'deliveries;', (select string_agg(distinct failure || ': ' || message, '; ') from staffetta.failures)) as said`,
    );
    return rows[0]?.said ?? '';
  }
}

/** The demo's configuration without its other targets and its hook, of which nothing is measured here. */
function directoryAlone(text: string): string {
  const document = parseDocument(text);
  for (const target of ['badges', 'helpdesk', 'phonebook']) document.deleteIn(['targets', target]);
  document.deleteIn(['targets', 'directory', 'hooks']);
  return document.toString({ lineWidth: 0 });
}
