/** The names and numbers that AOSI has for things. */
import type { HookFunction } from '../config/hooks.ts';
import type { TargetErrorKind } from '../targets/target.ts';

const names = {
  beforeCreate: 'beforeAddUser',
  afterCreate: 'afterAddUser',
  beforeUpdate: 'beforeChangeAttribute',
  afterUpdate: 'afterChangeAttribute',
  beforeRemove: 'beforeDeleteUser',
  afterRemove: 'afterDeleteUser',
} as const satisfies Record<HookFunction, string>;

/** What AOSI calls a function. */
export function aosiName(name: HookFunction): string {
  return names[name];
}

/** What AOSI says of a change that was made. */
export const success = { code: 0, message: 'Success!' } as const;

/** The code of a change that was not made: -81, there is no such entry, or -1. */
export function failureCode(kind: TargetErrorKind | string | null | undefined): number {
  return kind === 'gone' ? -81 : -1;
}
