import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Queryable } from './database/transaction.ts';
import { version } from './version.ts';

/** How often a daemon says that it is alive, in milliseconds. */
export const beat = 5_000;

/** A running daemon, as `staffetta.instance` shows it. */
export class Instance {
  readonly id = randomUUID();
  readonly #database: Queryable;
  readonly #revision: string;

  constructor(database: Queryable, revision: string) {
    this.#database = database;
    this.#revision = revision;
  }

  /** Says that it is alive and how it is; forgets daemons that were silent for a day. */
  async beat(state: 'running' | 'stopping' | 'superseded', message: string | null): Promise<void> {
    await this.#database.query(
      `with old as (delete from staffetta.instance where beat_at < clock_timestamp() - interval '1 day')
       insert into staffetta.instance (instance, host, pid, version, revision, state, message)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (instance) do update set state = excluded.state, message = excluded.message, beat_at = clock_timestamp()`,
      [this.id, hostname(), process.pid, version, this.#revision, state, message],
    );
  }

  /** Why it may not work: the applied configuration is another than this one's. Undefined where all is well. */
  async superseded(): Promise<string | undefined> {
    const { rows } = await this.#database.query<{ revision: string | null }>(
      'select revision from staffetta.installation',
    );
    if (rows[0]?.revision === this.#revision) return undefined;
    return rows[0]?.revision
      ? 'another configuration was applied than the one this daemon runs with; it does nothing until it is restarted with that one, or this one is applied'
      : 'no configuration was applied yet; run `staffetta apply`';
  }

  async end(): Promise<void> {
    await this.#database.query('delete from staffetta.instance where instance = $1', [this.id]);
  }
}
