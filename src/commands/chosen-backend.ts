import { nearest } from '../config/nearest.ts';
import type { Backend, Broken } from '../targets/script/backend.ts';
import type { ScriptTargetFound } from './script-targets.ts';
import { UserError } from './user-error.ts';

/** The backend of a name, and its target. Throws UserError where there is none. */
export function chosenBackend(
  found: readonly ScriptTargetFound[],
  name: string,
): { readonly target: ScriptTargetFound; readonly backend: Backend | Broken } {
  for (const target of found) {
    const backend = target.backends.find((one) => one.name === name);
    if (backend) return { target, backend };
  }
  const names = found.flatMap(({ backends }) => backends.map((backend) => backend.name));
  const near = nearest(name, names);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new UserError(`There is no backend "${name}".${hint} There are: ${names.join(', ') || 'none'}.`, 2);
}
