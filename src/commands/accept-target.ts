import type { Command } from 'commander';
import { askTouched } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/** `staffetta accept-target TARGET`: says that the server it reaches now is the right one (PROTOCOL C5). */
export function acceptTargetCommand(): Command {
  return defineCommand(
    'accept-target',
    'send to the server that a target reaches now, although it is another than before',
  )
    .argument('<target>')
    .action((target: string, options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => print(options, await askTouched(pool, 'accept_target($1)', [target]))),
    );
}
