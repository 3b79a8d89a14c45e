import { setTimeout } from 'node:timers/promises';
import type { MappingName, Mode } from './configuration.ts';
import type { TargetName } from './desired.ts';
import type { Fleet } from './fleet.ts';
import type { Site } from './site.ts';

/** What `apply` says where it was interrupted: an administrator runs it again. */
const interrupted = /connection|terminat|shutting down|starting up|ECONN|deadlock|lock/i;

/** The configuration that is applied: a mapping, and the mode of each target. Who changes it does one thing at a time. */
export class Configured {
  readonly #site: Site;
  readonly #fleet: Fleet;
  readonly #modes = new Map<TargetName, Mode>();
  #mapping: MappingName = 'plain';
  #last: Promise<unknown> = Promise.resolve();

  constructor(site: Site, fleet: Fleet) {
    this.#site = site;
    this.#fleet = fleet;
  }

  get mapping(): MappingName {
    return this.#mapping;
  }

  /** Applies a mapping. Running daemons keep theirs, and may do nothing from now on. */
  map(mapping: MappingName): Promise<void> {
    return this.alone(() => {
      this.#mapping = mapping;
      this.#fleet.mapping = mapping;
      return this.#apply();
    });
  }

  /** Applies another mode of a target, which running daemons follow. */
  mode(target: TargetName, mode: Mode): Promise<void> {
    return this.alone(() => {
      this.#modes.set(target, mode);
      return this.#apply();
    });
  }

  /** Does something that `apply` must not meet half done. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const now = this.#last.then(work, work);
    this.#last = now;
    return now;
  }

  async #apply(): Promise<void> {
    await this.#site.configure(this.#mapping, this.#modes);
    for (;;) {
      try {
        return await this.#site.apply();
      } catch (error) {
        if (!interrupted.test(String(error))) throw error;
        await setTimeout(100);
      }
    }
  }
}
