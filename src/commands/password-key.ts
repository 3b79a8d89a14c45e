import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { generateKey } from '../passwords/keys.ts';
import { defineCommand } from './command.ts';
import { UserError } from './user-error.ts';

/** `staffetta password-key FILE`: makes the private key that passwords.key names. */
export function passwordKeyCommand(): Command {
  return defineCommand('password-key', 'make the private key that opens passwords which are handed over')
    .argument('<file>', 'where it goes; only its owner may read it')
    .action(async (file: string) => {
      try {
        await writeFile(file, await generateKey(), { mode: 0o600, flag: 'wx' });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new UserError(`The key was not written: ${reason}.`);
      }
      console.log(
        `${file} holds the key. Give it to the daemons as "passwords: { key: { file: ${file} } }", and apply.`,
      );
    });
}
