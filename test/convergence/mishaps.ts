import { setTimeout } from 'node:timers/promises';
import { connect } from '../setup/registry.ts';
import type { Configured } from './configured.ts';
import type { Fleet } from './fleet.ts';
import type { Mishap } from './mishap.ts';
import type { Site } from './site.ts';

/** Does something to the database server that only its owner can. */
export type Restart = (mode: 'fast' | 'immediate', away: number) => Promise<void>;

/** What makes things go wrong, and well again. What befalls the same thing happens one after the other. */
export class Mishaps {
  readonly #site: Site;
  readonly #fleet: Fleet;
  readonly #configured: Configured;
  readonly #latency: number;
  readonly #restart: Restart | undefined;
  readonly #busy = new Map<string, Promise<void>>();

  /** `latency`: milliseconds that the answers of a directory take when nothing is wrong. */
  constructor(site: Site, fleet: Fleet, configured: Configured, latency: number, restart: Restart | undefined) {
    this.#site = site;
    this.#fleet = fleet;
    this.#configured = configured;
    this.#latency = latency;
    this.#restart = restart;
    for (const { proxy } of site.targets.values()) proxy.delay = latency;
  }

  /** Lets it happen; resolves when it is over. */
  happen(mishap: Mishap): Promise<void> {
    const name = this.#befallen(mishap);
    const before = this.#busy.get(name) ?? Promise.resolve();
    const now = before.then(() => this.#happen(mishap));
    this.#busy.set(name, now);
    return now;
  }

  /** Every daemon runs with the plain mapping, which is the applied one. */
  async makeGood(): Promise<void> {
    if (this.#configured.mapping !== 'plain') await this.#configured.map('plain');
    await Promise.all(
      this.#fleet.outdated().map(async (index) => {
        await this.#fleet.end(index, 'SIGTERM');
        await this.#fleet.start(index);
      }),
    );
  }

  /** What a mishap befalls: those that befall the same follow on one another. */
  #befallen(mishap: Mishap): string {
    if ('daemon' in mishap) return `daemon ${mishap.daemon}`;
    if (/directory/.test(mishap.do) && 'target' in mishap) return this.#site.followed(mishap.target).directory.url;
    return mishap.do;
  }

  async #happen(mishap: Mishap): Promise<void> {
    const { query } = this.#site;
    switch (mishap.do) {
      case 'kill a daemon':
      case 'stop a daemon':
        await this.#fleet.end(mishap.daemon, mishap.do === 'kill a daemon' ? 'SIGKILL' : 'SIGTERM');
        await setTimeout(mishap.away);
        return this.#fleet.start(mishap.daemon);
      case 'kill every daemon':
        return this.#killAll(mishap.away);
      case 'reload a daemon':
        return this.#fleet.reload(mishap.daemon);
      case 'freeze a daemon':
        this.#fleet.signal(mishap.daemon, 'SIGSTOP');
        await setTimeout(mishap.away);
        return this.#fleet.signal(mishap.daemon, 'SIGCONT');
      case 'stop a directory':
      case 'kill a directory':
      case 'freeze a directory':
        return this.#befallDirectory(mishap);
      case 'cut the connections':
        return this.#site.followed(mishap.target).proxy.cut();
      case 'half-close the connections':
        return this.#site.followed(mishap.target).proxy.halfClose();
      case 'delay the answers': {
        const { proxy } = this.#site.followed(mishap.target);
        proxy.delay = mishap.by;
        await setTimeout(mishap.away);
        proxy.delay = this.#latency;
        return;
      }
      case 'end sessions':
        await query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name like 'staffetta%' and pid % $1 = 0`,
          [mishap.every],
        );
        return;
      case 'silence the bell':
        return this.#silence(mishap.away);
      case 'hold a snapshot elsewhere':
        return this.#holdSnapshot(mishap.away);
      case 'take a view away':
        return this.#configured.alone(() => this.#takeAway(`registry.v_${mishap.view}`, mishap.away));
      case 'apply':
        return this.#configured.map(mishap.mapping);
      case 'rescan':
        await query(`select staffetta.rescan()`);
        return;
      case 'restart the database':
        return this.#restart?.(mishap.mode, mishap.away);
    }
  }

  /** Power fails on the machine of the daemons, if possible while a change is under way. */
  async #killAll(away: number): Promise<void> {
    const sent = () => [...this.#site.targets.values()].reduce((sum, { witness }) => sum + witness.changes, 0);
    const before = sent();
    for (const patience = performance.now() + 1500; sent() === before && performance.now() < patience; )
      await setTimeout(2);
    const killed = await this.#fleet.killAll();
    await setTimeout(away);
    await Promise.all(killed.map((index) => this.#fleet.start(index)));
  }

  async #befallDirectory({ do: what, target, away }: Extract<Mishap, { do: `${string} a directory` }>): Promise<void> {
    const { directory } = this.#site.followed(target);
    if (what === 'stop a directory') await directory.stop();
    else await directory.kill(what === 'kill a directory' ? 'SIGKILL' : 'SIGSTOP');
    await setTimeout(away);
    return what === 'freeze a directory' ? directory.kill('SIGCONT') : directory.start();
  }

  /** Whoever listens is cut off, again and again: what is notified meanwhile nobody hears. */
  async #silence(away: number): Promise<void> {
    for (const ends = performance.now() + away; performance.now() < ends; await setTimeout(50))
      await this.#site.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'staffetta listener'`,
      );
  }

  /** A transaction of another database keeps the oldest snapshot of the whole server. */
  async #holdSnapshot(away: number): Promise<void> {
    const url = new URL(this.#site.url);
    url.pathname = 'postgres';
    const client = await connect(url.href).catch(() => undefined); // the server is away, too
    try {
      await client?.query('begin');
      await client?.query('select pg_current_xact_id()');
      await setTimeout(away);
      await client?.query('commit');
    } catch {
      // Its session was ended: so is what it held.
    } finally {
      await client?.end();
    }
  }

  /** Somebody drops a view, and makes it again as it was. */
  async #takeAway(view: string, away: number): Promise<void> {
    const { query } = this.#site;
    const [is] = await query<{ definition: string }>(`select pg_get_viewdef($1::regclass) as definition`, [view]);
    await query(`drop view if exists ${view}`);
    await setTimeout(away);
    await query(`create or replace view ${view} as ${is?.definition}`);
  }
}
