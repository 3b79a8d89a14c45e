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
  mistakes(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Processes of Perl, which all targets of a daemon share: by file and folder. */
export type PerlHosts = Map<string, PerlHost>;

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
  hosts: PerlHosts = new Map(),
): Hooks | undefined {
  if (configured.length === 0) return undefined;
  return new Hooks(
    configured.map((config): Entry => {
      if (config.kind !== 'perl') {
        const module = config.kind === 'module' ? new EsModule(config, folder) : new ScriptHook(config, folder);
        const mistakes = async () => (await module.mistakes()).map((mistake) => `hook ${config.name}: ${mistake}`);
        return { modules: async () => [module], mistakes, close: () => module.close() };
      }
      const name = JSON.stringify([config.perl, config.modules]);
      const host = hosts.get(name) ?? new PerlHost(config, folder);
      hosts.set(name, host);
      return {
        modules: () => host.modules(config, target.type === 'ldap' ? target : undefined, folder),
        mistakes: () => host.mistakes(),
        close: () => host.close(),
      };
    }),
  );
}
