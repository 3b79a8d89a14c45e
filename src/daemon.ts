/**
 * A daemon: the resident drainer and the listener that wakes it, and graphile-worker, whose jobs run the pumps and
 * whose crontab does the scheduled runs. Many daemons on many machines may share a database.
 *
 * starting → running → stopping → stopped. While it is refused (see `Heartbeat`) it runs, but takes no deliveries.
 */
import { parseCronItems } from 'graphile-worker';
import type pg from 'pg';
import { bellChannel } from './capture/trigger.ts';
import type { LoadedConfig } from './config/load.ts';
import { crontab } from './crontab.ts';
import { Listener } from './database/listener.ts';
import { schemaMismatch } from './database/migrations.ts';
import { createPool, patience } from './database/pool.ts';
import { openSession, type Session } from './database/session.ts';
import { Tunables } from './database/tunables.ts';
import { freeForgotten } from './deliver/forgotten.ts';
import type { PumpEvents } from './deliver/pump.ts';
import type { Destination } from './deliver/route.ts';
import { closeDestinations, openDestinations } from './destinations.ts';
import { Heartbeat } from './heartbeat.ts';
import { Drainer } from './ingest/drainer.ts';
import { readFeeds } from './ingest/feeds.ts';
import { Flood } from './ingest/flood.ts';
import { Ingest } from './ingest/ingest.ts';
import { Instance } from './instance.ts';
import { Jobs } from './jobs.ts';
import { Kicker } from './kicker.ts';
import type { Log } from './log.ts';
import { Pumps } from './pumps.ts';
import { Refused } from './refused.ts';
import { createTasks } from './tasks.ts';

/** How often scans start from the beginning again, in milliseconds (PROTOCOL A8, B11). */
const resetInterval = 60_000;

export interface DaemonOptions {
  readonly log: Log;
  /** Told of each settled batch, for progress and for tests. */
  readonly settled?: PumpEvents['settled'];
  /** What the daemon read of the database at its start may not be so any longer: another should take its place. */
  readonly outdated?: () => void;
}

export class Daemon {
  readonly #loaded: LoadedConfig;
  readonly #options: DaemonOptions;
  readonly #session: Session;
  readonly #tunables: Tunables;
  /** graphile-worker listens on a connection of its pool, so that must not be a transaction pooler. */
  readonly #workerPool: pg.Pool;
  readonly #stop = new AbortController();
  readonly #instance: Instance;
  readonly #heartbeat: Heartbeat;
  readonly #destinations: ReadonlyMap<string, Destination>;
  readonly #pumps: Pumps;
  readonly #ingest: Ingest;
  readonly #drainer: Drainer;
  readonly #listener: Listener;
  #resetting: NodeJS.Timeout | undefined;
  readonly #kicker: Kicker;
  #jobs: Jobs | undefined;
  #draining: Promise<void> | undefined;
  readonly #connected = Promise.withResolvers<void>();

  private constructor(
    loaded: LoadedConfig,
    options: DaemonOptions,
    pools: { session: Session; workerPool: pg.Pool },
    destinations: ReadonlyMap<string, Destination>,
    ingest: Ingest,
  ) {
    const { config } = loaded;
    const { url, listen = url } = config.database;
    this.#loaded = loaded;
    this.#options = options;
    this.#session = pools.session;
    this.#tunables = new Tunables(this.#session.database);
    this.#workerPool = pools.workerPool;
    this.#destinations = destinations;
    this.#ingest = ingest;
    this.#instance = new Instance(this.#session.database, loaded);
    this.#heartbeat = new Heartbeat(this.#instance, options.log, () => this.#jobs?.pool, {
      allowed: () => this.#kicker.kick(),
      readmitted: () => options.outdated?.(),
    });
    this.#kicker = new Kicker(
      () => this.#startPumps(),
      (error) => options.log.error({ reason: text(error) }, 'could not start the pumps; they start at the next poll'),
    );
    const flood = new Flood();
    const session = {
      ...this.#session,
      tunables: this.#tunables,
      rest: (worked: number) => flood.rest(worked * this.#pumps.running, this.#stop.signal),
    };
    this.#pumps = new Pumps(session, destinations, {
      slots: (target) => config.targets[target]?.slots ?? 1,
      claimant: this.#instance,
      stop: this.#stop.signal,
      failed: (target, error) => {
        options.log.error({ target, reason: text(error) }, 'a delivery was cut short');
        this.#freeForgotten();
      },
      events: {
        settled: (target, outcomes) => {
          if (outcomes.some(({ dueIn }) => dueIn !== undefined)) this.#kicker.kick(); // it sees to it that they are not late
          options.settled?.(target, outcomes);
        },
        told: () => this.#drainer.ring(),
        stopped: (target, reason) => options.log.warn({ target, reason }, 'the target is not sent anything at present'),
      },
    });
    this.#drainer = new Drainer(
      listen,
      ingest,
      {
        connected: () => {
          this.#connected.resolve();
          options.log.info('connected to the database');
          this.#heartbeat.now(); // it may be another server now
          this.#freeForgotten();
          void this.#addJob('sweep', 'sweep'); // what was under way when the connection was lost is looked for again
        },
        failed: (error) => options.log.error({ reason: text(error) }, 'the database cannot be used at present'),
        drained: (drained) => {
          if (drained && this.#mayDeliver) this.#pumps.start(drained.targets);
          this.#kicker.kick();
          if (drained?.rescans) void this.#addJob('rescan', 'owed');
        },
      },
      this.#stop.signal,
      flood,
    );
    this.#listener = new Listener(listen, bellChannel, (payload) => {
      if (payload === 'parameters') {
        this.#tunables.forget();
        this.#drainer.forgetTunables();
      }
      if (payload !== 'due') this.#drainer.ring();
      else this.#pumps.told();
      if (payload !== '') this.#kicker.kick();
    });
  }

  /** Starts a daemon; resolves when it is at work. Throws where the database cannot be reached or was not applied to. */
  static async start(loaded: LoadedConfig, options: DaemonOptions): Promise<Daemon> {
    const { config, revision } = loaded;
    const slots = Object.values(config.targets).reduce((sum, target) => sum + target.slots, 0);
    const { url, listen = url } = config.database;
    const pools = {
      session: openSession(config.database, 'staffetta', slots + 4),
      workerPool: createPool(listen, 'staffetta worker', Math.max(6, slots + 3), patience.batch),
    };
    let daemon: Daemon | undefined;
    try {
      const mismatch = await schemaMismatch(pools.session.database);
      if (mismatch !== undefined) throw new Refused(mismatch);
      const destinations = await openDestinations(pools.session.database, loaded, options.log);
      const ingest = new Ingest(await readFeeds(pools.session.database, Object.keys(config.entities)), revision);
      daemon = new Daemon(loaded, options, pools, destinations, ingest);
      await daemon.#begin(slots);
      return daemon;
    } catch (error) {
      await (daemon ? daemon.stop() : Promise.all([pools.session.end(), pools.workerPool.end()]));
      throw error;
    }
  }

  /** The targets it delivers to. */
  get targets(): readonly string[] {
    return [...this.#destinations.keys()];
  }

  /** Finishes what is in flight, gives the rest back, and closes every connection. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#heartbeat.become('stopping');
    this.#connected.resolve();
    clearInterval(this.#resetting);
    await this.#listener.close();
    await this.#draining;
    await this.#pumps.idle();
    await this.#kicker.stop();
    await this.#jobs?.stop();
    await this.#heartbeat.stop().catch(() => {});
    await closeDestinations(this.#destinations.values());
    await Promise.all([this.#session.end(), this.#workerPool.end()]);
  }

  async #begin(slots: number): Promise<void> {
    await this.#heartbeat.start();
    await this.#session.database.query('select staffetta.ensure_journal_partitions()');
    this.#jobs = await Jobs.start(this.#workerPool, {
      tasks: createTasks({
        loaded: this.#loaded,
        log: this.#options.log,
        session: this.#session,
        tunables: this.#tunables,
        destinations: this.#destinations,
        pumps: this.#pumps,
        stop: this.#stop.signal,
        mayDeliver: () => this.#mayDeliver,
        ring: () => this.#drainer.ring(),
        kick: () => this.#kicker.kick(),
        reset: () => this.#reset(),
        addJob: (identifier, jobKey) => this.#addJob(identifier, jobKey),
      }),
      crontab: parseCronItems(crontab(this.#loaded.config.schedule)),
      concurrency: slots + 3, // PROTOCOL E2, and a reconcile, which takes long
      log: this.#options.log,
    });
    this.#heartbeat.become('running');
    this.#listener.start();
    this.#draining = this.#drainer.run();
    await this.#connected.promise;
    this.#resetting = setInterval(() => this.#reset(), resetInterval);
  }

  get #mayDeliver(): boolean {
    return this.#heartbeat.refusal === undefined && !this.#stop.signal.aborted;
  }

  /** What fails is tried again when the connection is back, or at the next reset. */
  #freeForgotten(): void {
    freeForgotten(this.#session.database, this.#instance.instance, (token) => this.#pumps.holds(token)).then(
      (freed) => freed > 0 && this.#kicker.kick(),
      () => {},
    );
  }

  #reset(): void {
    this.#freeForgotten();
    this.#ingest.reset();
    this.#pumps.reset();
  }

  /** Answers with the seconds until something becomes due, where that is before the next poll. */
  async #startPumps(): Promise<number | undefined> {
    if (!this.#jobs || !this.#mayDeliver) return undefined;
    const next = await this.#pumps.kick(this.#session.database, this.#jobs.addMany);
    const { POLL_SECONDS } = await this.#tunables.read();
    return next < POLL_SECONDS ? next : undefined;
  }

  /** A job that fails, for want of its connection say, is tried again within seconds: what it does is owed (PROTOCOL A11). */
  async #addJob(identifier: string, jobKey: string): Promise<void> {
    await this.#jobs?.add(identifier, {}, { jobKey, maxAttempts: 4 }).catch(() => {}); // the next sweep does it
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
