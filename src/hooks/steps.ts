/** Which calls a change consists of: one, or, of an update, one for each of AOSI's types that its attributes have. */
import type { AttributeChange, Attributes, Change } from '../targets/target.ts';
import type { CallAttribute, HookFunction } from './hook.ts';

/** What of a change is told with one call. */
export interface Step {
  readonly what: 'Create' | 'Update' | 'Remove';
  readonly type?: 1 | 2 | 3;
  readonly attributes: readonly CallAttribute[];
}

const types = [1, 2, 3] as const;

/** The names of AOSI's types of an update. */
const typeNames = { 1: 'add', 2: 'modify', 3: 'delete' } as const;

/**
 * The calls for a change, in order; `known`: what the entry had of ours before, undefined where nobody knows. A new name is
 * a modification, whether attributes are modified with it or not.
 */
export function stepsOf(change: Change, known: Attributes | undefined): Step[] {
  if (change.operation === 'create') return [{ what: 'Create', attributes: attributesOf(change.attributes, 'add') }];
  if (change.operation === 'remove') {
    const attributes = attributesOf(known ?? {}, 'delete').filter(({ values }) => values.length > 0);
    return [{ what: 'Remove', attributes }];
  }
  const byType = Map.groupBy(change.changes, (own) => typeOf(own, known));
  return types.flatMap((type): Step[] => {
    const own = byType.get(type);
    if (!own && !(type === 2 && change.renameTo !== undefined)) return [];
    const attributes = (own ?? []).map(({ attribute, action, values }) => ({ name: attribute, action, values }));
    return [{ what: 'Update', type, attributes }];
  });
}

/** What a step is called before or after a change. */
export function functionOf(phase: 'before' | 'after', { what }: Step): HookFunction {
  return `${phase}${what}`;
}

/** The same as people read it: `beforeUpdate modify`. */
export function describeStep(phase: 'before' | 'after', step: Step): string {
  const name = functionOf(phase, step);
  return step.type === undefined ? name : `${name} ${typeNames[step.type]}`;
}

function typeOf({ attribute, action, values }: AttributeChange, known: Attributes | undefined): 1 | 2 | 3 {
  if (action === 'add') return 1;
  if (action === 'delete' || values.length === 0) return 3;
  return known && !(attribute in known) ? 1 : 2;
}

function attributesOf(attributes: Attributes, action: 'add' | 'delete'): CallAttribute[] {
  return Object.entries(attributes).map(([name, values]) => ({ name, action, values }));
}
