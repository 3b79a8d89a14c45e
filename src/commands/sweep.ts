import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta sweep`: asks the daemons to look at everything now instead of at the next minute. */
export function sweepCommand(): Command {
  return defineCommand('sweep', 'ask the daemons to look at everything now').action((options: CommonOptions) =>
    withDatabase(options, async ({ pool }) => {
      const rows = await askTouched(pool, 'sweep()');
      print(
        options,
        rows.map(({ deliveries, note }) => ({ deliveries, note })),
      );
    }),
  );
}
