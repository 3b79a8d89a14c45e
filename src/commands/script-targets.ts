import type { LoadedConfig } from '../config/load.ts';
import type { ScriptConfig } from '../config/script.ts';
import type { Backend, Broken } from '../targets/script/backend.ts';
import { Backends } from '../targets/script/backends.ts';
import { TargetError } from '../targets/target.ts';
import { UserError } from './user-error.ts';

/** A script target of the configuration, with its backends. */
export interface ScriptTargetFound {
  readonly target: string;
  readonly config: ScriptConfig;
  readonly backends: readonly (Backend | Broken)[];
}

/**
 * The script targets of a configuration; `name`: this one only. Throws UserError where there is none, or the folder of its
 * backends cannot be read.
 */
export async function scriptTargets(
  { config, file, folder }: LoadedConfig,
  name: string | undefined,
): Promise<ScriptTargetFound[]> {
  const targets = Object.entries(config.targets);
  const scripts = targets.flatMap(([target, of]) => (of.type === 'script' ? [{ target, config: of }] : []));
  const chosen = scripts.filter(({ target }) => name === undefined || target === name);
  if (chosen.length === 0) {
    const names = scripts.map(({ target }) => target).join(', ') || 'none';
    const what = name === undefined ? 'no script target' : `no script target "${name}"`;
    throw new UserError(`${file} has ${what}. It has: ${names}.`, 2);
  }
  try {
    return await Promise.all(
      chosen.map(async (one) => ({ ...one, backends: await new Backends(one.config.backends, folder).again() })),
    );
  } catch (error) {
    if (error instanceof TargetError) throw new UserError(error.message);
    throw error;
  }
}
