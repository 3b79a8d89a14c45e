import { own } from '../config/own.ts';
import { createLog } from '../log.ts';
import { openOwnTarget } from '../targets/own/open.ts';
import type { Target } from '../targets/target.ts';

/**
 * Opens the target that a module is as Staffetta would. `settings`: what staffetta.yml says of it, without `${ENV}`;
 * `folder`: where that file would be. Throws where it is not right, or the module cannot be used.
 */
export async function openTarget(settings: Readonly<Record<string, unknown>>, folder: string): Promise<Target> {
  const config = own([]).parse(settings);
  return await openOwnTarget(config, { name: 'own', folder, log: createLog() });
}
