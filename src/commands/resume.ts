import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta resume TARGET`: sends to a target again, whatever had stopped it. */
export function resumeCommand(): Command {
  return defineCommand('resume', 'send to a target again, whatever had stopped it')
    .argument('<target>')
    .action((target: string, options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => print(options, await askTouched(pool, 'resume($1)', [target]))),
    );
}
