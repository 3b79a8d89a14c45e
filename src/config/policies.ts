import type { AttributeConfig, MappingConfig, TargetConfig } from './schema.ts';

/**
 * What happens to the values that others give an attribute:
 * - `replace`: they are replaced
 * - `initial`: it is ours only when an entry is created, then the target's own
 * - `add`: they stay, and so does what we gave it once
 * - `merge`: they stay; what we gave it is taken out again when it is no longer wanted
 */
export type Policy = Exclude<AttributeConfig, { kind: 'reference' }>['policy'];

/** What stands in a reference attribute, and what becomes of an entry that has no member in it. */
export interface ReferencePolicy {
  readonly refEntity: string;
  readonly empty: 'placeholder' | 'delete' | 'keep';
  /** What stands in it where there is no member; undefined: nothing has to. */
  readonly placeholder: string | undefined;
}

/** What stands for a member in an entry: the remote id, or the id that survives a rename. */
export type ReferenceForm = 'remote id' | 'stable id';

/** The policies of the attributes of a mapping, where they are another than `replace`. */
export function policiesOf({ attributes }: Pick<MappingConfig, 'attributes'>): Map<string, Policy> {
  return new Map(
    Object.entries(attributes ?? {}).flatMap(([name, attribute]) =>
      attribute.kind === 'reference' || attribute.policy === 'replace' ? [] : [[name, attribute.policy] as const],
    ),
  );
}

/** The attributes of a mapping whose values belong to one identity each. */
export function uniquesOf({ attributes }: Pick<MappingConfig, 'attributes'>): string[] {
  return Object.entries(attributes ?? {}).flatMap(([name, attribute]) =>
    attribute.kind !== 'reference' && attribute.unique ? [name] : [],
  );
}

/** The reference attributes of a mapping. */
export function referencesOf(
  { attributes }: Pick<MappingConfig, 'attributes'>,
  target: TargetConfig,
): Map<string, ReferencePolicy> {
  const placeholder = 'placeholder' in target ? target.placeholder : undefined;
  return new Map(
    Object.entries(attributes ?? {}).flatMap(([name, attribute]) =>
      attribute.kind === 'reference'
        ? [[name, { refEntity: attribute.ref, empty: attribute.empty, placeholder }] as const]
        : [],
    ),
  );
}

/** What stands for a member in the entries of a target. */
export function referenceForm(target: TargetConfig): ReferenceForm {
  if (target.type === 'scim') return 'stable id';
  if (target.type === 'own') return target.refersBy;
  return target.type === 'http' && target.refersBy === 'stable id' ? 'stable id' : 'remote id';
}
