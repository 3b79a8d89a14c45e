import type { Command } from 'commander';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta held [TARGET [ENTITY]]`: what waits for a word, why, and what would be done. */
export function heldCommand(): Command {
  return defineCommand('held', 'what the guard holds or a manual target waits for')
    .argument('[target]', 'only this target')
    .argument('[entity]', 'only this entity')
    .option('--limit <number>', 'at most so many', '100')
    .action(
      (target: string | undefined, entity: string | undefined, options: CommonOptions & { readonly limit: string }) =>
        withDatabase(options, async ({ pool }) => {
          await ask(pool, 'select staffetta.routes($1, $2)', [target ?? null, entity ?? null]);
          const rows = await ask(
            pool,
            `select target, entity, key, by, planned, reason, since, last_cause as cause, last_actor as actor from staffetta.held
             where ($1::text is null or target = $1) and ($2::text is null or entity = $2) order by target, entity, since, key limit $3::int`,
            [target ?? null, entity ?? null, options.limit],
          );
          print(options, rows);
        }),
    );
}
