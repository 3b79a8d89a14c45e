import type { Command } from 'commander';
import { isBroken } from '../targets/script/backends.ts';
import { Chain } from '../targets/script/chain.ts';
import { ping } from '../targets/script/request.ts';
import { chosenBackend } from './chosen-backend.ts';
import { type CommonOptions, defineCommand, print, withConfig } from './command.ts';
import { type ScriptTargetFound, scriptTargets } from './script-targets.ts';

/** `staffetta backend ping [NAME]`: sends PING_TARGET to the backends that list it. */
export function backendPingCommand(): Command {
  return defineCommand('ping', 'send PING_TARGET to backends')
    .argument('[name]', 'only this one')
    .option('--target <name>', 'of this target only')
    .action((name: string | undefined, options: CommonOptions & { target?: string }) =>
      withConfig(options, async (loaded) => {
        const found = await scriptTargets(loaded, options.target);
        if (name !== undefined) chosenBackend(found, name);
        const answers = (await Promise.all(found.map((target) => pingAll(target, name)))).flat();
        print(options, answers);
        if (answers.some(({ result }) => result === 'failed')) process.exitCode = 1;
      }),
    );
}

async function pingAll({ target, config, backends }: ScriptTargetFound, name: string | undefined) {
  const chain = new Chain(config);
  try {
    const asked = backends.filter((backend) => name === undefined || backend.name === name);
    return await Promise.all(
      asked.map(async (backend) => {
        const start = performance.now();
        const answer = (result: 'ok' | 'failed' | 'not asked', message: string) => {
          return { target, backend: backend.name, result, ms: Math.round(performance.now() - start), message };
        };
        if (isBroken(backend)) return answer('failed', backend.mistakes.join('; '));
        if (!backend.active) return answer('not asked', 'it is not active');
        const step = backend.steps.get(ping.action);
        if (!step) return answer('not asked', 'it does not list PING_TARGET');
        const { kind, message } = await chain.call(backend.name, step, ping, AbortSignal.timeout(config.timeout));
        return answer(kind === undefined ? 'ok' : 'failed', message);
      }),
    );
  } finally {
    await chain.close();
  }
}
