/**
 * graphile-worker, kept at work. A runner whose first look for a job fails remembers that failure for ever, and one that
 * fails otherwise may stop by itself; then another is started, after a pause that grows while that fails. Jobs that the
 * lost one could not give back run again.
 *
 * working → lost → working …, until stopped.
 */
import { EventEmitter } from 'node:events';
import {
  type AddJobFunction,
  type AddJobsFunction,
  Logger,
  makeWorkerUtils,
  type ParsedCronItem,
  type Runner,
  run,
  type TaskList,
  type WorkerEvents,
  type WorkerUtils,
} from 'graphile-worker';
import type pg from 'pg';
import type { Log } from './log.ts';

const firstPause = 250;
const longestPause = 10_000;

export interface JobsOptions {
  readonly tasks: TaskList;
  readonly crontab: readonly ParsedCronItem[];
  /** Jobs that may run at once. */
  readonly concurrency: number;
  readonly log: Log;
}

export class Jobs {
  readonly #pool: pg.Pool;
  readonly #options: JobsOptions;
  readonly #logger: Logger;
  readonly #utils: WorkerUtils;
  #runner: PooledRunner;
  #stopped = false;
  #pause = Promise.withResolvers<void>();
  readonly #working: Promise<void>;

  private constructor(pool: pg.Pool, options: JobsOptions, logger: Logger, utils: WorkerUtils, runner: PooledRunner) {
    this.#pool = pool;
    this.#options = options;
    this.#logger = logger;
    this.#utils = utils;
    this.#runner = runner;
    this.#working = this.#keepWorking();
  }

  /** Starts to work. Throws where the database cannot be used. */
  static async start(pool: pg.Pool, options: JobsOptions): Promise<Jobs> {
    const logger = workerLogger(options.log);
    const utils = await makeWorkerUtils({ pgPool: pool, logger });
    return new Jobs(pool, options, logger, utils, await startRunner(pool, options, logger));
  }

  /** What graphile-worker calls the pool that runs our jobs: they are locked in its name. */
  get pool(): string {
    return this.#runner.pool;
  }

  get add(): AddJobFunction {
    return this.#utils.addJob;
  }

  get addMany(): AddJobsFunction {
    return this.#utils.addJobs;
  }

  /** Resolves when every job that runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pause.resolve();
    await this.#runner.runner.stop().catch(() => {}); // it may have stopped by itself
    await this.#working;
    await this.#utils.release();
  }

  async #keepWorking(): Promise<void> {
    for (let failures = 0; !this.#stopped; ) {
      await this.#runner.runner.promise.catch(() => {}); // its log has said why
      await this.#wait(Math.min(firstPause * 2 ** failures, longestPause));
      if (this.#stopped) break;
      try {
        await this.#pool.query('select staffetta.free_jobs($1)', [[this.pool]]);
        this.#runner = await startRunner(this.#pool, this.#options, this.#logger);
        failures = 0;
        this.#options.log.info('jobs run again');
      } catch {
        failures += 1;
      }
    }
    await this.#runner.runner.stop().catch(() => {});
  }

  async #wait(milliseconds: number): Promise<void> {
    if (this.#stopped) return;
    this.#pause = Promise.withResolvers();
    const timer = setTimeout(() => this.#pause.resolve(), milliseconds);
    await this.#pause.promise;
    clearTimeout(timer);
  }
}

interface PooledRunner {
  readonly runner: Runner;
  readonly pool: string;
}

async function startRunner(
  pgPool: pg.Pool,
  { tasks, crontab, concurrency }: JobsOptions,
  logger: Logger,
): Promise<PooledRunner> {
  const events: WorkerEvents = new EventEmitter();
  const firstLook = Promise.withResolvers<boolean>();
  let pool = '';
  events.once('pool:create', ({ workerPool }) => {
    pool = workerPool.id;
  });
  events.once('job:start', () => firstLook.resolve(true));
  events.once('worker:getJob:empty', () => firstLook.resolve(true));
  events.once('worker:getJob:error', () => firstLook.resolve(false));
  const runner = await run({
    pgPool,
    events,
    noHandleSignals: true,
    taskList: tasks,
    parsedCronItems: [...crontab],
    logger,
    concurrency,
    pollInterval: 2_000,
  });
  void firstLook.promise.then((succeeded) => (succeeded ? undefined : runner.stop().catch(() => {})));
  return { runner, pool };
}

/** graphile-worker's own messages: each job's start and end are details, everything else as it says. */
function workerLogger(log: Log): Logger {
  return new Logger((scope) => (level, message) => {
    if (level === 'error') log.error({ ...scope }, message);
    else if (level === 'warning') log.warn({ ...scope }, message);
    else log.debug({ ...scope }, message);
  });
}
