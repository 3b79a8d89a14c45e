import { type Command, Option } from 'commander';
import { readRequest, requestable, type Wanted } from './backend-request.ts';
import { type CommonOptions, defineCommand, withDatabase } from './command.ts';
import { scriptTargets } from './script-targets.ts';
import { UserError } from './user-error.ts';

type Options = CommonOptions & { action: Wanted['action']; target?: string; secrets?: boolean };

/** `staffetta backend payload ENTITY KEY`: prints what a script would read on standard input. */
export function backendPayloadCommand(): Command {
  return defineCommand('payload', 'print what a script would read, for piping into it')
    .argument('<entity>')
    .argument('<key>')
    .addOption(new Option('--action <action>', 'for this action').choices(requestable).default('IDENTITY_UPDATE'))
    .option('--target <name>', 'of this target, where there are several')
    .option('--secrets', 'with the values that are secret, in place of asterisks')
    .action((entity: string, key: string, options: Options) =>
      withDatabase(options, async ({ loaded, pool }) => {
        const [{ target, config } = { target: '', config: undefined }, ...more] = await scriptTargets(
          loaded,
          options.target,
        );
        if (more.length > 0 || !config)
          throw new UserError('There are several script targets; name one with --target.', 2);
        const wanted = { target, config, entity, key, action: options.action, mask: !options.secrets };
        const { document } = await readRequest(pool, wanted);
        console.log(options.json ? JSON.stringify(document) : JSON.stringify(document, null, 2));
      }),
    );
}
