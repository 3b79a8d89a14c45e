import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

/** A staffetta.yml of a test. */
export interface Written {
  /** Loads this text. Throws ConfigError. */
  load(text: string): LoadedConfig;
  /** What is wrong with it, each mistake as `LINE:COLUMN: WHERE: WHAT`. */
  mistakesIn(text: string): string[];
  remove(): void;
}

export function createWritten(env: Readonly<Record<string, string>> = {}): Written {
  const folder = mkdtempSync(join(tmpdir(), 'staffetta-config-'));
  const file = join(folder, 'staffetta.yml');
  const load = (text: string) => {
    writeFileSync(file, text);
    return loadConfig(file, env);
  };
  return {
    load,
    mistakesIn: (text) => {
      try {
        load(text);
        return [];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return error.message.split('\n').map((line) => line.slice(file.length + 1));
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
