/**
 * A university of a million people whose directory is empty: a daemon finds that it owes them all, and pays. What three
 * measurements want to know of that is noted while it happens, once in a run.
 */
import { setTimeout } from 'node:timers/promises';
import { DatabaseServer } from './database-server.ts';
import { Directory } from './directory.ts';
import type { Run } from './run.ts';
import { sampleLatency } from './sampler.ts';
import { Site } from './site.ts';

const made = new WeakMap<Run, Promise<Million>>();

export class Million {
  /** With everybody in the directory. */
  readonly site: Site;
  /** Of single changes made while most of the queue was still there, in milliseconds. */
  readonly lags: readonly number[];
  /** The most memory that the daemon took until all was paid. */
  readonly peakMib: number;

  private constructor(site: Site, lags: readonly number[], peakMib: number) {
    this.site = site;
    this.lags = lags;
    this.peakMib = peakMib;
  }

  /** Builds it when it is first asked for; it stays until the end of the run. */
  static of(run: Run): Promise<Million> {
    const there = made.get(run) ?? Million.#build(run);
    made.set(run, there);
    return there;
  }

  static async #build(run: Run): Promise<Million> {
    const stack = run.shared;
    const people = run.size(1_000_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people`);
    const url = await server.createUniversity('university', people);
    // As large as it may become, and without a disk to wait for: it is not what is measured.
    const directory = await Directory.start(stack, { durable: false, database: ['maxsize 17179869184'] });
    const site = await Site.open(run, stack, url, directory);
    await server.checkpoint();
    const daemon = await site.startDaemon();
    run.say(`${people} deliveries`);
    while (!(await isQueued(site))) await setTimeout(100, undefined, { signal: run.stop });

    const ids = Array.from({ length: people }, (_, index) => 1 + ((index * 101) % people));
    let waiting = true;
    const watch = async () => {
      while (waiting) {
        await setTimeout(500, undefined, { signal: run.stop });
        waiting &&= await isHalfLeft(site, people);
      }
    };
    const [lags] = await Promise.all([
      sampleLatency(run, site, { rate: 5, seconds: run.seconds(120), ids, while: () => waiting }).finally(() => {
        waiting = false;
      }),
      watch(),
    ]);
    run.say(`${lags.length} changes meanwhile; now the rest`);
    await site.carried();
    await directory.expectPeople(people);
    const { peakMib } = daemon;
    await daemon.stop();
    return new Million(site, lags, peakMib);
  }
}

/** The queue is full when the rescan that fills it is no longer owed. */
async function isQueued({ pool }: Site): Promise<boolean> {
  const { rows } = await pool.query<{ queued: boolean }>(
    'select not exists (select from staffetta.route where rescan > 0) as queued',
  );
  return rows[0]?.queued ?? false;
}

async function isHalfLeft({ pool }: Site, people: number): Promise<boolean> {
  const { rows } = await pool.query(`select from staffetta.delivery where priority = 1 offset $1 limit 1`, [
    Math.floor(people / 2),
  ]);
  return rows.length > 0;
}
