import { setTimeout } from 'node:timers/promises';
import type { Registry } from '../setup/registry.ts';
import type { Fleet } from './fleet.ts';
import type { History, MappingName, Mishap } from './history.ts';
import type { LdapProxy } from './proxy.ts';

/** What is put in the place of what in the configuration. */
type Replacement = readonly [from: string, to: string];

const replacements: Record<MappingName, readonly Replacement[]> = {
  plain: [],
  'named backwards': [['cn: "{given?} {surname?}"', 'cn: "{surname?} {id}"']],
  'without rooms': [['          roomNumber: { from: room }\n', '']],
  elsewhere: [['dn: "uid={uid},', 'dn: "employeeNumber={id},']],
};

/** Does something to the database server that only its owner can. */
export type Restart = (mode: 'fast' | 'immediate', away: number) => Promise<void>;

/** What mishaps befall. */
export interface Stage {
  readonly registry: Registry;
  readonly fleet: Fleet;
  readonly proxy: LdapProxy;
  readonly restart: Restart | undefined;
}

/** What makes things go wrong, and well again. What befalls the same thing happens one after the other. */
export class Mishaps {
  readonly #registry: Registry;
  readonly #fleet: Fleet;
  readonly #proxy: LdapProxy;
  readonly #latency: number;
  readonly #settings: readonly Replacement[];
  readonly #restart: Restart | undefined;
  readonly #busy = new Map<string, Promise<void>>();
  #mapping: MappingName = 'plain';

  constructor(
    { registry, fleet, proxy, restart }: Stage,
    { slots, batch, latency }: Pick<History, 'slots' | 'batch' | 'latency'>,
  ) {
    this.#registry = registry;
    this.#fleet = fleet;
    this.#proxy = proxy;
    this.#latency = latency;
    this.#restart = restart;
    proxy.delay = latency;
    this.#settings = [
      ['timeout: 3s', `timeout: 500ms\n    slots: ${slots}\n    batch: ${batch}`],
      ['targets:\n', 'schedule: { sweep: "0 0 1 1 *" }\ntargets:\n'], // nothing may need the sweep of the minute
      [`url: \${LDAP_URL}`, `url: ${proxy.url}`],
    ];
  }

  /** Applies a mapping. Running daemons keep theirs, and may do nothing from now on. */
  async apply(mapping: MappingName): Promise<void> {
    this.#mapping = mapping;
    this.#fleet.mapping = mapping;
    await this.#registry.configure(...this.#settings, ...replacements[mapping]);
    for (;;) {
      try {
        return await this.#registry.apply();
      } catch (error) {
        // An administrator whose `apply` was interrupted runs it again.
        if (!/connection|terminat|shutting down|starting up|ECONN|deadlock|lock/i.test(String(error))) throw error;
        await setTimeout(100);
      }
    }
  }

  /** Lets it happen; resolves when it is over. */
  happen(mishap: Mishap): Promise<void> {
    const name = 'daemon' in mishap ? `daemon ${mishap.daemon}` : mishap.do.replace(/^\w+ /, '');
    const before = this.#busy.get(name) ?? Promise.resolve();
    const now = before.then(() => this.#happen(mishap));
    this.#busy.set(name, now);
    return now;
  }

  /** Every daemon runs with the plain mapping, which is the applied one. */
  async makeGood(): Promise<void> {
    if (this.#mapping !== 'plain') await this.apply('plain');
    await Promise.all(
      this.#fleet.outdated().map(async (index) => {
        await this.#fleet.end(index, 'SIGTERM');
        await this.#fleet.start(index);
      }),
    );
  }

  async #happen(mishap: Mishap): Promise<void> {
    const { directory, query } = this.#registry;
    switch (mishap.do) {
      case 'kill a daemon':
      case 'stop a daemon':
        await this.#fleet.end(mishap.daemon, mishap.do === 'kill a daemon' ? 'SIGKILL' : 'SIGTERM');
        await setTimeout(mishap.away);
        return this.#fleet.start(mishap.daemon);
      case 'freeze a daemon':
        this.#fleet.signal(mishap.daemon, 'SIGSTOP');
        await setTimeout(mishap.away);
        return this.#fleet.signal(mishap.daemon, 'SIGCONT');
      case 'stop the directory':
      case 'kill the directory':
        await (mishap.do === 'kill the directory' ? directory.kill('SIGKILL') : directory.stop());
        await setTimeout(mishap.away);
        return directory.start();
      case 'freeze the directory':
        await directory.kill('SIGSTOP');
        await setTimeout(mishap.away);
        return directory.kill('SIGCONT');
      case 'cut the connections':
        return this.#proxy.cut();
      case 'half-close the connections':
        return this.#proxy.halfClose();
      case 'delay the answers':
        this.#proxy.delay = mishap.by;
        await setTimeout(mishap.away);
        this.#proxy.delay = this.#latency;
        return;
      case 'end sessions':
        await query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name like 'staffetta%' and pid % $1 = 0`,
          [mishap.every],
        );
        return;
      case 'apply':
        return this.apply(mishap.mapping);
      case 'rescan':
        await query(`select staffetta.rescan()`);
        return;
      case 'restart the database':
        return this.#restart?.(mishap.mode, mishap.away);
    }
  }
}
