import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { type CommonOptions, defineCommand, print, UserError } from './command.ts';

const root = new URL('../../', import.meta.url);
const starter = new URL('examples/starter/staffetta.yml', root);
const schema = fileURLToPath(new URL('staffetta.schema.json', root));

/** `staffetta init`: writes a commented staffetta.yml to begin with; never over an existing one unless forced. */
export function initCommand(): Command {
  return defineCommand('init', 'write a commented staffetta.yml to begin with')
    .option('--force', 'overwrite an existing file')
    .action((options: CommonOptions & { force?: boolean }) => {
      write(options.config, starterFor(options.config), options.force ?? false);
      print(options, {
        written: options.config,
        next: `set the variables it names, then: staffetta ping, staffetta apply, staffetta run`,
      });
    });
}

/** The example, its first line pointing editors to the schema of this installation. */
function starterFor(file: string): string {
  const [, ...lines] = readFileSync(starter, 'utf8').split('\n');
  const path = relative(dirname(resolve(file)), schema);
  const first = existsSync(schema) ? [`# yaml-language-server: $schema=${path}`] : [];
  return [...first, ...lines].join('\n');
}

function write(file: string, text: string, force: boolean): void {
  try {
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new UserError(`${file} exists already; \`staffetta init --force\` overwrites it.`, 2);
    if (code === 'ENOENT') throw new UserError(`The folder ${dirname(file)} does not exist.`, 2);
    if (code === 'EACCES' || code === 'EROFS') throw new UserError(`This user may not write ${file}.`, 2);
    if (code === 'EISDIR') throw new UserError(`${file} is a directory, expected a file to write.`, 2);
    throw error;
  }
}
