import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { Option } from 'commander';
import type pg from 'pg';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { UserError } from './user-error.ts';

interface Handed extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
  readonly note: string;
}

interface SetPasswordOptions extends CommonOptions {
  readonly kind: 'change' | 'reset';
  readonly expires: string;
}

/** `staffetta set-password ENTITY KEY`: hands over a new password, which it reads from standard input. */
export function setPasswordCommand(): Command {
  return defineCommand('set-password', 'hand over a new password to every target that takes passwords')
    .argument('<entity>')
    .argument('<key>')
    .addOption(new Option('--kind <kind>', 'who has changed it').choices(['change', 'reset']).default('reset'))
    .option('--expires <interval>', 'drop it after so long, delivered or not', '1 hour')
    .addHelpText('after', '\nStandard input: the new password; on a second line, if a script asks for it, the old one.')
    .action((entity: string, key: string, options: SetPasswordOptions) =>
      withDatabase(options, async ({ pool }) => {
        const { next, former } = await readPasswords();
        const handed = await ask<Handed>(
          pool,
          'select target, entity, key, note from staffetta.set_password($1, $2, $3, $4, $5, $6::interval)',
          [entity, key, next, former ?? null, options.kind, options.expires],
        );
        print(options, handed);
      }),
    );
}

async function readPasswords(): Promise<{ next: string; former: string | undefined }> {
  if (process.stdin.isTTY) console.error('The new password, then Ctrl-D (it is shown; a pipe does not show it):');
  const [next = '', former, ...more] = (await text(process.stdin)).replace(/\r?\n$/, '').split(/\r?\n/);
  if (next === '') throw new UserError('Standard input is empty; expected the new password.', 2);
  if (more.length > 0)
    throw new UserError(
      `Standard input has ${more.length + 2} lines; expected the new password, and perhaps the old.`,
      2,
    );
  return { next, former };
}
