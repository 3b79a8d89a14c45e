/**
 * The resident ingester of a daemon: asleep while nothing happens, awake within milliseconds of a commit, and never in
 * the way of who commits. States (PROTOCOL A1–A3):
 *
 * - away: no connection. Tried again with growing pauses.
 * - awake: drains until little is found, and as long as so many write that each would have to ring (`Flood`), with pauses.
 *   Holds no lock, so writers do not ring.
 * - parking: has taken the lock P, so that writers ring from now on, and noted its own transaction id X. It goes on
 *   draining after 1, 2, 4 … ms until no transaction older than X is left, which would not have seen P and so would not
 *   have rung; then once more. A bell ends the pause. Where P is not to be had, another drainer is parked: polls.
 * - parked: waits for the bell, or for the poll, which is what guarantees that nothing is missed. Takes what it finds
 *   without letting go of P, since nobody who has looked for P missed it, and stays parked: so a lone change is ingested
 *   at once. If it is more, or the bell rings again meanwhile, awake: many writers are not to ring each.
 *
 * awake → parking → parked → awake, and from anywhere to away.
 */
import pg from 'pg';
import { parkedLock } from '../capture/trigger.ts';
import { attended } from '../database/attended.ts';
import { Client } from '../database/client.ts';
import type { Parameters } from '../database/parameters.ts';
import { connectionOptions, patience, unlimitedTransactions } from '../database/pool.ts';
import type { Queryable } from '../database/transaction.ts';
import { Tunables } from '../database/tunables.ts';
import { Flood, restAfter } from './flood.ts';
import type { Drained, Ingest } from './ingest.ts';

/** A session that is silent for so long is ended by the server, which frees P (PROTOCOL A3). Polls are far more frequent. */
const idleSessionTimeout = 120_000;

/** The most events that one who is parked takes and stays parked. */
const few = 10;

/** How long anything but an ingest may take, in milliseconds. */
const queryTimeout = 10_000;

export interface DrainerEvents {
  /** A batch of events was ingested, or (undefined) a poll is due: look what is to be delivered. */
  drained(drained: Drained | undefined): void;
  /** The database cannot be reached, or refuses something that is no fault of a source. */
  failed(error: unknown): void;
  /** It can be reached (again). */
  connected(): void;
}

export class Drainer {
  readonly #url: string;
  readonly #ingest: Ingest;
  readonly #events: DrainerEvents;
  readonly #flood: Flood;
  readonly #stop: AbortSignal;
  #bell = Promise.withResolvers<void>();
  #rung = false;
  #tunables: Tunables | undefined;

  constructor(url: string, ingest: Ingest, events: DrainerEvents, stop: AbortSignal, flood = new Flood()) {
    this.#flood = flood;
    this.#url = url;
    this.#ingest = ingest;
    this.#events = events;
    this.#stop = stop;
    stop.addEventListener('abort', () => this.ring(), { once: true });
  }

  /** Something may be there to ingest. */
  ring(): void {
    this.#rung = true;
    this.#bell.resolve();
  }

  /** The parameters may be others now. */
  forgetTunables(): void {
    this.#tunables?.forget();
  }

  /** Runs until told to stop; connects again whenever the connection is lost. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.aborted) {
      const client: pg.Client = new Client({
        ...connectionOptions(this.#url, 'staffetta drainer', patience.everything),
        query_timeout: queryTimeout,
      });
      client.on('error', () => this.ring()); // the next query says what is wrong
      try {
        await client.connect();
        await client.query(`set idle_session_timeout = ${idleSessionTimeout}; ${unlimitedTransactions}`);
        this.#ingest.reset();
        failures = 0;
        this.#events.connected();
        await this.#live(client, await attended(client, this.#url));
      } catch (error) {
        if (this.#stop.aborted) break;
        this.#events.failed(error);
        failures += 1;
        this.#rung = false;
        await this.#pause(Math.min(100 * 2 ** failures, 10_000));
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  async #live(client: pg.Client, database: Queryable): Promise<void> {
    const tunables = new Tunables(client);
    this.#tunables = tunables;
    while (!this.#stop.aborted) {
      const parameters = await tunables.read();
      const began = performance.now();
      const { events } = await this.#drain(database, parameters);
      const isBusy = this.#flood.isBusy();
      if (isBusy) await this.#pause(restAfter(performance.now() - began, 'ingest'));
      if (isBusy || events > few) continue; // many write: none of them is to ring
      const mark = await this.#park(client);
      if (mark === undefined || (await this.#settleDown(database, parameters, mark)))
        await this.#sleep(database, tunables, mark === undefined ? 0 : few);
      if (mark !== undefined) await client.query('select pg_advisory_unlock($1)', [parkedLock]);
    }
  }

  async #drain(database: Queryable, parameters: Parameters): Promise<Drained> {
    this.#rung = false;
    return this.#ingest.drain(database, parameters, {
      ingested: (batch) => {
        this.#flood.note(batch.transactions, { limit: parameters.FLOOD_TRANSACTIONS });
        this.#events.drained(batch);
      },
      stop: this.#stop,
    });
  }

  /** Takes P and answers with X, the id of a transaction that began after; undefined where P is not to be had. */
  async #park(client: pg.Client): Promise<bigint | undefined> {
    try {
      await client.query(`begin; set local lock_timeout = '50ms'`);
      const { rows } = await client.query<{ xid: string }>(
        `with locked as materialized (select pg_advisory_lock(${parkedLock})) select pg_current_xact_id()::text as xid from locked`,
      );
      await client.query('commit');
      return rows[0] && BigInt(rows[0].xid);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== '55P03') throw error;
      await client.query('rollback');
      return undefined;
    }
  }

  /** Drains until every transaction that may not have seen P is over. False if much came, so that we are awake. */
  async #settleDown(database: Queryable, parameters: Parameters, mark: bigint): Promise<boolean> {
    const poll = parameters.POLL_SECONDS * 1000;
    for (let pause = 1; ; pause = Math.min(pause * 2, poll)) {
      const drained = await this.#drain(database, parameters);
      if (drained.events > few) return false;
      if (drained.xmin >= mark) return (await this.#drain(database, parameters)).events <= few;
      if (this.#stop.aborted) return false;
      await this.#pause(pause);
      if (pause === poll) this.#events.drained(undefined); // as long as this may take, the poll is guaranteed (E2)
    }
  }

  /** Waits for the bell; at each poll looks by itself. Ends when more is found than so much, or the bell rings too often. */
  async #sleep(database: Queryable, tunables: Tunables, most: number): Promise<void> {
    while (!this.#stop.aborted && !this.#rung) {
      const parameters = await tunables.read();
      await this.#pause(parameters.POLL_SECONDS * 1000);
      if (this.#stop.aborted) return;
      const polls = !this.#rung;
      const { events } = await this.#drain(database, parameters);
      if (polls) this.#events.drained(undefined);
      if (events > most) return;
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#rung) return;
    this.#bell = Promise.withResolvers();
    const timer = setTimeout(() => this.#bell.resolve(), milliseconds);
    await this.#bell.promise;
    clearTimeout(timer);
  }
}
