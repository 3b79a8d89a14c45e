import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta retry [TARGET [ENTITY [KEY…]]]`: tries again, now, what failed, is parked or waits. */
export function retryCommand(): Command {
  return defineCommand('retry', 'try again, now, what failed, is parked or waits; also lifts a quarantine')
    .argument('[target]', 'only this target')
    .argument('[entity]', 'only this entity')
    .argument('[keys...]', 'only these keys')
    .action((target: string | undefined, entity: string | undefined, keys: readonly string[], options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => {
        const values = [target ?? null, entity ?? null, keys.length > 0 ? keys : null];
        print(options, await askTouched(pool, 'retry($1, $2, $3::text[])', values));
      }),
    );
}
