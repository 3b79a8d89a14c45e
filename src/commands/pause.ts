import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta pause TARGET`: sends nothing more to a target; its changes wait. */
export function pauseCommand(): Command {
  return defineCommand('pause', 'send nothing more to a target until it is resumed')
    .argument('<target>')
    .option('--reason <text>', 'why, for who looks at the status')
    .action((target: string, options: CommonOptions & { readonly reason?: string }) =>
      withDatabase(options, async ({ pool }) =>
        print(options, await askTouched(pool, 'pause($1, $2)', [target, options.reason ?? null])),
      ),
    );
}
