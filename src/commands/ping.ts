import type { Command } from 'commander';
import type { LoadedConfig } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import type { TargetConfig } from '../config/schema.ts';
import { createLog } from '../log.ts';
import { createTarget } from '../targets/registry.ts';
import { type CommonOptions, defineCommand, print, UserError, withConfig } from './command.ts';

/** `staffetta ping [TARGET]`: asks each target whether it is reachable and takes our credentials. */
export function pingCommand(): Command {
  return defineCommand('ping', 'ask targets whether they are reachable and take our credentials')
    .argument('[target]', 'only this one')
    .action((name: string | undefined, options: CommonOptions) =>
      withConfig(options, async (loaded) => {
        const answers = await Promise.all(chosen(loaded, name).map((target) => ping(target, loaded)));
        print(options, answers);
        if (answers.some((answer) => answer.result === 'failed')) process.exitCode = 1;
      }),
    );
}

function chosen({ config, file }: LoadedConfig, name: string | undefined): [string, TargetConfig][] {
  const targets = Object.entries(config.targets);
  if (name === undefined) return targets;
  const found = targets.filter(([target]) => target === name);
  if (found.length > 0) return found;
  const names = targets.map(([target]) => target);
  const near = nearest(name, names);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new UserError(`${file} has no target "${name}".${hint} It has: ${names.join(', ') || 'none'}.`, 2);
}

async function ping([name, config]: [string, TargetConfig], { folder }: LoadedConfig) {
  const start = performance.now();
  const answer = (result: 'ok' | 'failed', summary: string) => ({
    target: name,
    result,
    ms: Math.round(performance.now() - start),
    summary,
  });
  try {
    const target = await createTarget(config, { name, folder, log: createLog() });
    try {
      const { summary } = await target.ping(AbortSignal.timeout(config.timeout));
      return answer('ok', summary);
    } finally {
      await target.close();
    }
  } catch (error) {
    return answer('failed', error instanceof Error ? error.message : String(error));
  }
}
