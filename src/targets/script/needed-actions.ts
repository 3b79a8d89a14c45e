import type { ScriptConfig, ScriptMapping } from '../../config/script.ts';
import type { Action } from './action.ts';

/** The actions that identities of a mapping lead to, sooner or later: somebody should list each. */
export function neededActions(
  { attributes, deprovision, password }: ScriptMapping,
  createAction: ScriptConfig['createAction'],
): Action[] {
  const disables = 'enabled' in attributes || deprovision.some((step) => step.do === 'disable');
  const needed = new Set<Action>([createAction, 'IDENTITY_UPDATE']);
  if (deprovision.some((step) => step.do === 'delete')) needed.add('IDENTITY_DELETE');
  if (disables) needed.add('IDENTITY_DISABLE').add('IDENTITY_ENABLE');
  if ('lifecycle' in attributes) needed.add('IDENTITY_LIFECYCLE_CHANGED');
  if (password) needed.add('IDENTITY_PASSWORD_CHANGE').add('IDENTITY_PASSWORD_RESET');
  return [...needed];
}
