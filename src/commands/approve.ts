import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta approve TARGET [ENTITY [KEY…]]`: lets go out what waits for a word; it is proven anew first. */
export function approveCommand(): Command {
  return defineCommand('approve', 'do what the guard holds or a manual target waits for, if it still is to be done')
    .argument('<target>')
    .argument('[entity]', 'only this entity')
    .argument('[keys...]', 'only these keys')
    .option('--reason <text>', 'why, for the journal')
    .action(
      (
        target: string,
        entity: string | undefined,
        keys: readonly string[],
        options: CommonOptions & { readonly reason?: string },
      ) =>
        withDatabase(options, async ({ pool }) => {
          const values = [target, entity ?? null, keys.length > 0 ? keys : null, options.reason ?? null];
          print(options, await askTouched(pool, 'approve($1, $2, $3::text[], $4)', values));
        }),
    );
}
