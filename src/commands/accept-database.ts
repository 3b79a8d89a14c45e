import type { Command } from 'commander';
import { hostOf } from '../database/host.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta accept-database`: says that this database is the one to deliver from (PROTOCOL C6). */
export function acceptDatabaseCommand(): Command {
  return defineCommand('accept-database', 'deliver from this database, although it was at another place before').action(
    (options: CommonOptions) =>
      withDatabase(options, async ({ pool, loaded }) => {
        const host = hostOf(loaded.config.database.url);
        const [answer] = await ask<{ note: string }>(pool, 'select staffetta.accept_database($1) as note', [host]);
        print(options, { database: host, note: answer?.note ?? '' });
      }),
  );
}
