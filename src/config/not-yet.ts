import type { AttributeConfig, Config, MappingConfig, TargetConfig } from './schema.ts';

/** When this version's configuration reconciles, were it to: what the file need not say (see `schedule.reconcile`). */
const usualReconcile = '15 3 * * *';

/**
 * What a configuration asks for that this version accepts but does not act on yet: target → paths below it (and
 * `schedule.reconcile`, where it is set to another time than the default). Targets without any are left out.
 */
export function notYet(config: Config): Map<string, string[]> {
  const everywhere = config.schedule.reconcile === usualReconcile ? [] : ['schedule.reconcile'];
  const found = Object.entries(config.targets).map(([name, target]): [string, string[]] => [
    name,
    [...inTarget(target), ...everywhere],
  ]);
  return new Map(found.filter(([, keys]) => keys.length > 0));
}

function inTarget(target: TargetConfig): string[] {
  return [
    ...(target.guard === undefined ? [] : ['guard']),
    ...(target.after.length === 0 ? [] : ['after']),
    ...Object.entries(target.entities).flatMap(([name, mapping]) =>
      inMapping(mapping).map((key) => `entities.${name}.${key}`),
    ),
  ];
}

function inMapping(mapping: MappingConfig): string[] {
  const timed = mapping.deprovision.length > 1 || mapping.deprovision.some((step) => step.after > 0);
  return [
    ...(mapping.revisit === undefined ? [] : ['revisit']),
    ...(mapping.writeBack === undefined ? [] : ['writeBack']),
    ...(timed ? ['deprovision'] : []),
    ...Object.entries(mapping.attributes ?? {}).flatMap(([name, attribute]) =>
      inAttribute(attribute).map((key) => `attributes.${name}.${key}`),
    ),
  ];
}

function inAttribute(attribute: AttributeConfig): string[] {
  if (attribute.kind === 'reference') return attribute.empty === 'placeholder' ? [] : ['empty'];
  return attribute.policy === 'replace' ? [] : ['policy'];
}
