import type { Command } from 'commander';
import { isBroken } from '../targets/script/backends.ts';
import { type CommonOptions, defineCommand, print, UserError, withConfig } from './command.ts';
import { type ScriptTargetFound, scriptTargets } from './script-targets.ts';

/** `staffetta backend list`: the backends of every script target, in the order they run in. */
export function backendListCommand(): Command {
  return defineCommand('list', 'the backends of script targets, in the order they run in')
    .option('--target <name>', 'of this target only')
    .action((options: CommonOptions & { target?: string }) =>
      withConfig(options, async (loaded) => {
        const found = await scriptTargets(loaded, options.target);
        print(options, found.flatMap(rowsOf));
        const mistakes = found.flatMap(({ backends }) =>
          backends.flatMap((backend) => (isBroken(backend) ? backend.mistakes : [])),
        );
        if (mistakes.length > 0) throw new UserError(mistakes.join('\n'));
      }),
    );
}

function rowsOf({ target, config, backends }: ScriptTargetFound) {
  return backends.map((backend) => ({
    target,
    folder: backend.folder,
    name: backend.name,
    state: isBroken(backend) ? 'broken' : backend.active ? 'active' : 'not active',
    process: config.process[backend.name] ?? 'each',
    actions: isBroken(backend) ? [] : [...backend.steps.keys()],
    description: isBroken(backend) ? null : backend.description,
  }));
}
