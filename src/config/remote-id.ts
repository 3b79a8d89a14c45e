import type { MappingConfig } from './schema.ts';

/** The template of the remote id of a mapping, and the key of staffetta.yml that it stands under. */
export function remoteIdOf(mapping: MappingConfig): { readonly key: 'dn' | 'id'; readonly template: string } {
  // Ids of several entities of a service may be the same.
  if ('operations' in mapping) return { key: 'id', template: `${mapping.entity}/${mapping.id}` };
  // A user and a group may have the same name.
  if ('resource' in mapping) return { key: 'id', template: `${mapping.resource}/${mapping.id}` };
  return 'dn' in mapping ? { key: 'dn', template: mapping.dn } : { key: 'id', template: mapping.id };
}
