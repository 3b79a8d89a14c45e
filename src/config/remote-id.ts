import type { MappingConfig } from './schema.ts';

/** The template of the remote id of a mapping, and the key of staffetta.yml that it stands under. */
export function remoteIdOf(mapping: MappingConfig): { readonly key: 'dn' | 'id'; readonly template: string } {
  // Ids of several entities of a service may be the same.
  if ('operations' in mapping) return { key: 'id', template: `${mapping.entity}/${mapping.id}` };
  // A user and a group may have the same name.
  if ('resource' in mapping) return { key: 'id', template: `${mapping.resource}/${mapping.id}` };
  return 'dn' in mapping ? { key: 'dn', template: mapping.dn } : { key: 'id', template: mapping.id };
}

/** The same of an entry that is disabled, under `disable:`; undefined: it keeps its remote id. */
export function disabledIdOf({ disable }: MappingConfig): ReturnType<typeof remoteIdOf> | undefined {
  if (disable === undefined) return undefined;
  if ('dn' in disable && disable.dn !== undefined) return { key: 'dn', template: disable.dn };
  return 'id' in disable && disable.id !== undefined ? { key: 'id', template: disable.id } : undefined;
}
