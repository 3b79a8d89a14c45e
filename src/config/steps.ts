import type { MappingConfig } from './schema.ts';

/** Something that happens to the entry of an identity that has left the view. */
export interface Step {
  readonly do: 'disable' | 'delete';
  /** Seconds since the identity was first proven absent, `removeAfter` included. */
  readonly after: number;
}

/** What happens to the entries of identities that have left the view, in order; nothing after `keep`. */
export function stepsOf({ deprovision, removeAfter }: Pick<MappingConfig, 'deprovision' | 'removeAfter'>): Step[] {
  const end = deprovision.findIndex((step) => step.do === 'keep');
  return deprovision.slice(0, end === -1 ? deprovision.length : end).flatMap((step): Step[] => {
    const after = Math.max(step.after, removeAfter) / 1000;
    return step.do === 'keep' ? [] : [{ do: step.do, after }];
  });
}
