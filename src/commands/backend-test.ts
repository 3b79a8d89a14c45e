import { type Command, Option } from 'commander';
import { isBroken } from '../targets/script/backends.ts';
import { Chain } from '../targets/script/chain.ts';
import { readRequest, requestable, type Wanted } from './backend-request.ts';
import { chosenBackend } from './chosen-backend.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { scriptTargets } from './script-targets.ts';
import { UserError } from './user-error.ts';

type Options = CommonOptions & { action: Wanted['action']; target?: string };

/**
 * `staffetta backend test NAME ENTITY KEY`: calls one backend for one identity, really, and shows what it says. Nothing is
 * recorded.
 */
export function backendTestCommand(): Command {
  return defineCommand('test', 'call one backend for one identity, really, and record nothing')
    .argument('<name>', 'the backend')
    .argument('<entity>')
    .argument('<key>')
    .addOption(new Option('--action <action>', 'for this action').choices(requestable).default('IDENTITY_UPDATE'))
    .option('--target <name>', 'of this target, where there are several')
    .action((name: string, entity: string, key: string, options: Options) =>
      withDatabase(options, async ({ loaded, pool }) => {
        const { target, backend } = chosenBackend(await scriptTargets(loaded, options.target), name);
        const { action } = options;
        if (isBroken(backend)) throw new UserError(backend.mistakes.join('\n'));
        const step = backend.steps.get(action);
        if (!step) throw new UserError(`Backend ${name} does not list ${action}, which so does not concern it.`, 2);
        const wanted = { target: target.target, config: target.config, entity, key, action, mask: false };
        const request = await readRequest(pool, wanted);
        const chain = new Chain(target.config);
        try {
          const start = performance.now();
          const result = await chain.call(name, step, request, AbortSignal.timeout(target.config.timeout));
          const { status, message, data, kind } = result;
          const ms = Math.round(performance.now() - start);
          print(options, { backend: name, action, result: kind ?? 'ok', status, message, data: data ?? null, ms });
          if (kind !== undefined) process.exitCode = 1;
        } finally {
          await chain.close();
        }
      }),
    );
}
