import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta discard TARGET [ENTITY [KEY…]]`: what waits for a word is not done; entries that would go are kept. */
export function discardCommand(): Command {
  return defineCommand('discard', 'do not do what the guard holds or a manual target waits for')
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
          print(options, await askTouched(pool, 'discard($1, $2, $3::text[], $4)', values));
        }),
    );
}
