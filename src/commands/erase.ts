import type { Command } from 'commander';
import type pg from 'pg';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { confirm } from './confirm.ts';

interface Erased extends pg.QueryResultRow {
  readonly target: string;
  readonly remote_id: string | null;
  readonly journal: number;
  readonly deliveries: number;
  readonly members: number;
  readonly note: string;
}

const erase = `select target, remote_id, journal::float8, deliveries::float8, members::float8, note
  from staffetta.erase($1, $2, dry_run => $3)`;

/** `staffetta erase ENTITY KEY`: forgets everything about a person who is no longer replicated. */
export function eraseCommand(): Command {
  return defineCommand('erase', 'forget everything about a person who is no longer replicated')
    .argument('<entity>')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action((entity: string, key: string, options: CommonOptions & { yes?: boolean }) =>
      withDatabase(options, async ({ pool }) => {
        if (!options.yes) {
          const known = await ask<Erased>(pool, erase, [entity, key, true]);
          const held = known.filter(({ remote_id }) => remote_id !== null);
          const entries = held.map(({ target, remote_id }) => `${remote_id} on ${target}`).join(', ');
          await confirm(
            `Links, errors and ${count(known)} rows of the journal of ${entity} ${key} are deleted, for good. ` +
              (held.length > 0 ? `Not touched, and nobody's from then on: ${entries}.` : 'No target holds an entry.'),
          );
        }
        const erased = await ask<Erased>(pool, erase, [entity, key, false]);
        if (options.json || erased.length > 0) print(options, erased);
        else console.log(`Nothing was known of ${entity} ${key}.`);
      }),
    );
}

function count(known: readonly Erased[]): number {
  return known.reduce((sum, { journal }) => sum + journal, 0);
}
