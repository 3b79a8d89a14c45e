import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { hostOf } from './database/host.ts';
import { LifeLine } from './database/life-line.ts';
import { schemaMismatch } from './database/migrations.ts';
import type { Queryable } from './database/transaction.ts';
import type { Claimant, Life } from './deliver/claim.ts';
import { thisMachine } from './machine.ts';
import { type TakenOver, takeOver } from './take-over.ts';
import { version } from './version.ts';

/** How often a daemon says that it is alive, in milliseconds. */
export const beat = 5_000;

/** How old a heartbeat must at least be before others take the daemon for dead, in milliseconds. */
const shortestSilence = 20_000;

/** How a daemon is; `once` is not one, but a `run --once`. */
export type InstanceState = 'starting' | 'running' | 'refused' | 'stopping' | 'once';

/** The instances of this process that have not ended. */
const ours: string[] = [];

/** Somebody who claims deliveries – a daemon, or a `run --once` – as `staffetta.instance` shows it. */
export class Instance implements Claimant {
  readonly instance = randomUUID();
  readonly revision: string;
  readonly host: string;
  readonly #database: Queryable;
  readonly #lifeLine: LifeLine;
  /** Milliseconds after the last heartbeat in which nobody takes it for dead. */
  readonly #silence: number;
  #life = { ends: Number.NEGATIVE_INFINITY };

  constructor(database: Queryable, { config, revision }: LoadedConfig) {
    const { url, listen = url } = config.database;
    this.revision = revision;
    this.host = hostOf(url);
    this.#database = database;
    this.#lifeLine = new LifeLine(listen, this.instance, beat);
    this.#silence = silenceOf(config);
    ours.push(this.instance);
  }

  get life(): Life {
    return this.#life;
  }

  /** Says that it is alive and how it is. `pool`: graphile-worker's name for its worker pool. */
  async beat(
    state: InstanceState,
    { message, pool }: { message?: string | undefined; pool?: string | undefined } = {},
  ) {
    const begun = performance.now();
    await this.#lifeLine.query(
      `insert into staffetta.instance (instance, host, machine, pid, pool, version, revision, silence, state, message)
       values ($1, $2, $3, $4, $5, $6, $7, make_interval(secs => $8), $9, $10)
       on conflict (instance) do update
       set state = excluded.state, message = excluded.message, pool = excluded.pool, beat_at = clock_timestamp()`,
      [
        this.instance,
        hostname(),
        thisMachine(),
        process.pid,
        pool,
        version,
        this.revision,
        this.#silence / 1000,
        state,
        message,
      ],
    );
    const ends = begun + this.#silence;
    if (performance.now() < this.#life.ends) this.#life.ends = ends;
    else this.#life = { ends }; // others may have taken over from the last one
  }

  /** Takes over from those that are dead; undefined where nobody is. */
  takeOver(): Promise<TakenOver | undefined> {
    return takeOver(this.#database, ours);
  }

  /**
   * Why it may not deliver: another version of Staffetta or another configuration was applied than this one (PROTOCOL C7),
   * or this is a copy of the database (C6). Undefined where it may. Notes on the way that the database has failed over;
   * true for who did.
   */
  async refusal(): Promise<{ refusal: string | undefined; restored: boolean }> {
    const mismatch = await schemaMismatch(this.#database);
    if (mismatch !== undefined) return { refusal: mismatch, restored: false };
    const noted = await this.#database.query<{ restored: boolean }>('select staffetta.note_timeline() as restored');
    const { rows } = await this.#database.query<{ refusal: string | null }>('select staffetta.refusal($1, $2)', [
      this.revision,
      this.host,
    ]);
    return { refusal: rows[0]?.refusal ?? undefined, restored: noted.rows[0]?.restored ?? false };
  }

  async end(): Promise<void> {
    ours.splice(ours.indexOf(this.instance), 1);
    try {
      await this.#database.query('delete from staffetta.instance where instance = $1', [this.instance]);
    } finally {
      await this.#lifeLine.close();
    }
  }
}

/**
 * Longer than two operations may take, each with a hook before it: what is begun between two heartbeats is over before
 * anybody takes it over.
 */
function silenceOf({ hooks, targets }: Config): number {
  const longest = Math.max(
    0,
    ...Object.values(targets).map(({ timeout, hooks: own }) => {
      return timeout + Math.max(0, ...[...hooks, ...own].map((hook) => hook.timeout));
    }),
  );
  return Math.max(shortestSilence, 2 * longest + beat);
}
