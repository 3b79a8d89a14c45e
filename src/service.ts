/**
 * `staffetta run` from its start to its end: a daemon, whose place another one takes in the same process when the
 * configuration is reloaded, or when what the daemon read of the database at its start may be outdated. The new one is at
 * work before the old one finishes what it has in flight and stops; if it cannot start, the old one goes on.
 */
import type { LoadedConfig } from './config/load.ts';
import { Daemon } from './daemon.ts';
import type { Log } from './log.ts';

export interface ServiceOptions {
  readonly log: Log;
  /** Reads the configuration as it is now; throws where it is wrong. */
  readonly load: () => LoadedConfig;
  /** What went wrong, in words. */
  readonly describe: (error: unknown) => string;
}

export class Service {
  readonly #options: ServiceOptions;
  /** What the daemon runs with. */
  #loaded: LoadedConfig;
  #daemon: Daemon | undefined;
  #stopping = false;
  /** Replacements, one after the other. */
  #replacing = Promise.resolve();

  private constructor(loaded: LoadedConfig, options: ServiceOptions) {
    this.#loaded = loaded;
    this.#options = options;
  }

  /** Starts a daemon with a configuration; resolves when it is at work. Throws where it cannot start. */
  static async start(loaded: LoadedConfig, options: ServiceOptions): Promise<Service> {
    const service = new Service(loaded, options);
    const starting = service.#startDaemon(loaded).then((daemon) => {
      service.#daemon = daemon;
    });
    // A daemon may be outdated before it is at work: it is replaced when it is, and not at all where it cannot start.
    service.#replacing = starting.catch(() => {
      service.#stopping = true;
    });
    await starting;
    return service;
  }

  /** Reads the configuration again, and goes on with it; a mistake in it is logged, and everything stays as it is. */
  reload(): void {
    this.#replace(this.#options.load, 'the configuration was read again');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#replacing;
    await this.#daemon?.stop();
  }

  #startDaemon(loaded: LoadedConfig): Promise<Daemon> {
    const outdated = () => this.#replace(() => this.#loaded, 'what was applied was read again');
    return Daemon.start(loaded, { log: this.#options.log, outdated });
  }

  #replace(load: () => LoadedConfig, done: string): void {
    const { log, describe } = this.#options;
    this.#replacing = this.#replacing.then(async () => {
      if (this.#stopping) return;
      const old = this.#daemon;
      try {
        const loaded = load();
        this.#daemon = await this.#startDaemon(loaded);
        this.#loaded = loaded;
      } catch (error) {
        log.error(`not reloaded; the daemon goes on as it was: ${describe(error)}`);
        return;
      }
      await old?.stop();
      log.info({ targets: this.#daemon.targets }, done);
    });
  }
}
