import { TargetError } from './target.ts';

/** What the configuration of a target says of an entity. Throws `misconfigured` where it knows none of this name. */
export function mappingOf<Mapping>(
  { entities }: { readonly entities: Readonly<Record<string, Mapping>> },
  entity: string,
): Mapping {
  const mapping = Object.hasOwn(entities, entity) ? entities[entity] : undefined;
  if (mapping !== undefined) return mapping;
  throw new TargetError('misconfigured', `the target has no entity ${entity}`);
}
