import type { Command } from 'commander';
import type pg from 'pg';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { confirm } from './confirm.ts';

interface Forgotten extends pg.QueryResultRow {
  readonly target: string;
  readonly links: number;
  readonly members: number;
  readonly remote_ids: number;
  readonly deliveries: number;
}

const forget = `select target, links::float8, members::float8, remote_ids::float8, deliveries::float8
  from staffetta.forget($1, dry_run => $2)`;

/** `staffetta forget TARGET`: drops everything that is known of a target which is no longer configured. */
export function forgetCommand(): Command {
  return defineCommand('forget', 'drop everything that is known of a target which is no longer configured')
    .argument('<target>')
    .option('--yes', 'do not ask')
    .action((target: string, options: CommonOptions & { yes?: boolean }) =>
      withDatabase(options, async ({ pool }) => {
        const [known] = await ask<Forgotten>(pool, forget, [target, true]);
        if (!options.yes && known)
          await confirm(
            `Staffetta knows ${known.links} entries on target "${target}" as its own. Forgotten, they stay there, and are nobody's: configured again, it would have to adopt them.`,
          );
        print(options, await ask<Forgotten>(pool, forget, [target, false]));
      }),
    );
}
