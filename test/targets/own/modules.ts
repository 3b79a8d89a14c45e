/** Modules written to a folder of their own, opened as staffetta.yml would have it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { own } from '../../../src/config/own.ts';
import type { Log } from '../../../src/log.ts';
import { createTarget } from '../../../src/targets/registry.ts';
import type { Target } from '../../../src/targets/target.ts';

/** A target that does nothing, and answers well. */
export const well = `export default () => ({
  ping: async () => ({ summary: 'well', identity: 'one' }),
  apply: async ({ remoteId }) => ({ remoteId }),
});`;

export interface Modules {
  readonly folder: string;
  /** The lines that modules had written to the log. */
  readonly lines: unknown[][];
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Opens the module of a name; what staffetta.yml says beside its type. */
  open(type: string, more?: Readonly<Record<string, unknown>>): Promise<Target>;
  /** Opens a module with this text. */
  of(text: string, more?: Readonly<Record<string, unknown>>): Promise<Target>;
  close(): Promise<void>;
}

export async function createModules(): Promise<Modules> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-modules-'));
  const targets: Target[] = [];
  const lines: unknown[][] = [];
  const line = (...said: unknown[]) => void lines.push(said);
  const log: Log = { debug: line, info: line, warn: line, error: line };
  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
  };
  let count = 0;
  const modules: Modules = {
    folder,
    lines,
    write,
    open: async (type, more = {}) => {
      const config = own(['ldap']).parse({ type, entities: { person: { id: '{id}' } }, ...more });
      const target = await createTarget(config, { name: 'mine', folder, log });
      targets.push(target);
      return target;
    },
    of: async (text, more) => {
      count += 1;
      await write({ [`module${count}.mjs`]: text });
      return await modules.open(`./module${count}.mjs`, more);
    },
    close: async () => {
      for (const target of targets) await target.close();
      await rm(folder, { recursive: true });
    },
  };
  return modules;
}
