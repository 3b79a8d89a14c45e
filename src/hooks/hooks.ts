/** The modules of one target, as `staffetta.yml` lists them. */
import type { HookConfig } from '../config/hooks.ts';
import type { TargetConfig } from '../config/schema.ts';
import { EsModule } from './es-module.ts';
import type { HookModule, Search } from './hook.ts';
import { PerlHost } from './perl.ts';
import { type Begin, Round, type Subject } from './round.ts';
import { ScriptHook } from './script.ts';

/** Something that a list of hooks names: it holds one module, or as many as a `plugins.conf` lists. */
interface Entry {
  modules(): Promise<readonly HookModule[]>;
  /** What is wrong with its files. */
  mistakes(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What runs an entry, for any target. */
interface Runner extends Omit<Entry, 'modules'> {
  modules(target: TargetConfig): Promise<readonly HookModule[]>;
}

/** Runners by what they run: a hook for all targets has one thread or process in a daemon, however many targets there are. */
export type Runners = Map<HookConfig, Runner>;

export class Hooks {
  readonly #entries: readonly Entry[];
  #modules: Promise<readonly HookModule[]> | undefined;

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** A change on its way. */
  async round(subject: Subject, search: Search, begin: Begin): Promise<Round> {
    this.#modules ??= this.#read();
    return new Round(await this.#modules, subject, search, begin);
  }

  /** What is wrong with their files. */
  async mistakes(): Promise<string[]> {
    return (await Promise.all(this.#entries.map((entry) => entry.mistakes()))).flat();
  }

  /** Ends what runs; it would be started again if it were asked. */
  async close(): Promise<void> {
    await Promise.all(this.#entries.map((entry) => entry.close()));
  }

  async #read(): Promise<readonly HookModule[]> {
    return (await Promise.all(this.#entries.map((entry) => entry.modules()))).flat();
  }
}

/** The hooks of a target; undefined where it has none. Nothing is started before it is needed. */
export function createHooks(
  configured: readonly HookConfig[],
  target: TargetConfig,
  folder: string,
  runners: Runners = new Map(),
): Hooks | undefined {
  if (configured.length === 0) return undefined;
  return new Hooks(
    configured.map((config): Entry => {
      const runner = runners.get(config) ?? createRunner(config, folder);
      runners.set(config, runner);
      return {
        modules: () => runner.modules(target),
        mistakes: () => runner.mistakes(),
        close: () => runner.close(),
      };
    }),
  );
}

function createRunner(config: HookConfig, folder: string): Runner {
  switch (config.kind) {
    case 'module':
      return new EsModule(config, folder);
    case 'script':
      return new ScriptHook(config, folder);
    case 'perl':
      return new PerlHost(config, folder);
  }
}
