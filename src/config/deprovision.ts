import { type Path, type Problem, valueAt } from './problem.ts';
import type { MappingConfig } from './schema.ts';

/** Checks that the steps of a mapping's deprovisioning come one after the other, and that all they need is said. */
export function checkDeprovision(mapping: MappingConfig, above: Path, written: unknown): Problem[] {
  return [...checkSteps(mapping, above), ...checkDisable(mapping, above, written)];
}

function checkSteps({ deprovision }: MappingConfig, above: Path): Problem[] {
  return deprovision.flatMap((step, index): Problem[] => {
    const before = deprovision[index - 1];
    const path = [...above, 'deprovision', index];
    if (!before) return [];
    if (before.do !== 'disable')
      return [{ path, message: `found a step after ${before.do}, expected none: nothing is left to be done` }];
    if (step.do === 'disable') return [{ path, message: 'found disable again, expected it once' }];
    if (step.do === 'keep' || step.after > before.after) return [];
    return [{ path, message: 'expected a step later than the one before it, such as { after: 90d, do: delete }' }];
  });
}

function checkDisable({ deprovision, disable }: MappingConfig, above: Path, written: unknown): Problem[] {
  if (disable !== undefined || valueAt(written, [...above, 'disable']) !== undefined) return [];
  if (!deprovision.some((step) => step.do === 'disable')) return [];
  return [
    { path: [...above, 'deprovision'], message: 'found disable, expected `disable:` beside it to say what is written' },
  ];
}
