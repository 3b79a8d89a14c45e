/** The backends of a target: the folders in its folder that have a `config.yml`, in the order of their names. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TargetError } from '../target.ts';
import { type Backend, type Broken, readBackend } from './backend.ts';

/** For so long, in milliseconds, what was read is believed. */
const fresh = 1000;

export class Backends {
  /** As the configuration writes it. */
  readonly shown: string;
  readonly #folder: string;
  #read: { readonly at: number; readonly found: Promise<readonly (Backend | Broken)[]> } | undefined;

  /** `base`: where a relative folder begins. */
  constructor(shown: string, base: string) {
    this.shown = shown;
    this.#folder = resolve(base, shown);
  }

  /** Every backend, broken ones too; what was changed is seen within a second. Throws `misconfigured` where there is no folder. */
  all(): Promise<readonly (Backend | Broken)[]> {
    if (this.#read === undefined || performance.now() - this.#read.at > fresh) return this.again();
    return this.#read.found;
  }

  /** The same, read at this moment. */
  again(): Promise<readonly (Backend | Broken)[]> {
    const found = this.#find();
    this.#read = { at: performance.now(), found };
    return found;
  }

  async #find(): Promise<readonly (Backend | Broken)[]> {
    const folders = (await this.#folders()).toSorted();
    const read = await Promise.all(
      folders.map((folder) =>
        readBackend(join(this.#folder, folder, 'config.yml'), join(this.shown, folder, 'config.yml')),
      ),
    );
    const found = read.filter((backend) => backend !== undefined);
    return found.map((backend, index) => {
      const first = found.slice(0, index).find(({ name }) => name === backend.name);
      if (first === undefined || isBroken(backend)) return backend;
      const file = join(this.shown, backend.folder, 'config.yml');
      const mistake = `${file}: name: found "${backend.name}", which ${first.folder} is called already; expected each once`;
      return { folder: backend.folder, name: backend.name, mistakes: [mistake] };
    });
  }

  async #folders(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const reasons: Record<string, string> = {
        ENOENT: 'there is none',
        ENOTDIR: 'that is no folder',
        EACCES: 'we may not read it',
      };
      const reason = reasons[String(code)] ?? `it cannot be read: ${code}`;
      throw new TargetError('misconfigured', `the folder of the backends, ${this.#folder}: ${reason}`);
    }
  }
}

export function isBroken(backend: Backend | Broken): backend is Broken {
  return 'mistakes' in backend;
}
