import { Command } from 'commander';
import type pg from 'pg';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { connect } from './connection.ts';
import { formatRecord, formatTable, type Row } from './table.ts';

export { UserError } from './user-error.ts';

/** The options that every command takes. */
export interface CommonOptions {
  /** The configuration file. */
  readonly config: string;
  /** Answer with one JSON document instead of text. */
  readonly json?: boolean;
}

/** A command with the options that every one takes; add arguments, further options and an action to it. */
export function defineCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'the configuration', './staffetta.yml')
    .option('--json', 'answer with one JSON document')
    .exitOverride();
}

/** Loads the configuration and shows its warnings on standard error. Throws ConfigError. */
export function load({ config }: CommonOptions): LoadedConfig {
  const loaded = loadConfig(config);
  for (const warning of loaded.warnings) console.error(`warning: ${formatProblem(warning)}`);
  return loaded;
}

/** Loads the configuration and does the work. Throws ConfigError. */
export async function withConfig<T>(
  options: CommonOptions,
  work: (loaded: LoadedConfig) => T | Promise<T>,
): Promise<T> {
  return await work(load(options));
}

/** Loads the configuration and connects to its database; the connections are closed when the work is over. */
export function withDatabase<T>(
  options: CommonOptions,
  work: (context: { loaded: LoadedConfig; pool: pg.Pool }) => Promise<T>,
): Promise<T> {
  return withConfig(options, async (loaded) => {
    const { url, listen = url } = loaded.config.database; // a command keeps a session of its own
    const pool = await connect(listen);
    try {
      return await work({ loaded, pool });
    } finally {
      await pool.end();
    }
  });
}

/** Answers on standard output: a table for rows, lines for one record, or one JSON document with `--json`. */
export function print(options: Pick<CommonOptions, 'json'>, answer: Row | readonly Row[]): void {
  if (options.json) {
    console.log(JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2));
  } else {
    console.log(isRows(answer) ? formatTable(answer, process.stdout.columns) : formatRecord(answer));
  }
}

function isRows(answer: Row | readonly Row[]): answer is readonly Row[] {
  return Array.isArray(answer);
}
