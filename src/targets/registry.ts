/** The kinds of targets there are. A new kind is one more line in `kinds`. Each is loaded when a target of it is made. */
import type { TargetConfig } from '../config/schema.ts';
import type { Log } from '../log.ts';
import type { Target } from './target.ts';

/** What a target is told beside its configuration. */
export interface Surroundings {
  /** As `staffetta.yml` calls it. */
  readonly name: string;
  /** Where relative file names in the file begin. */
  readonly folder: string;
  /** Where a module of the administrator's own may write. */
  readonly log: Log;
}

/** What `staffetta.yml` says of a target, by its kind. */
type Configs = { readonly [Of in TargetConfig as Of['type']]: Of };

const kinds: {
  readonly [Kind in keyof Configs]: (config: Configs[Kind], place: Surroundings) => Promise<Target>;
} = {
  ldap: async (config, { folder }) => new (await import('./ldap/target.ts')).LdapTarget(config, folder),
  scim: async (config, { folder }) => new (await import('./scim/target.ts')).ScimTarget(config, folder),
  http: async (config, { folder }) => new (await import('./http/target.ts')).HttpTarget(config, folder),
  file: async (config, { folder }) => new (await import('./file/target.ts')).FileTarget(config, folder),
  script: async (config, { folder }) => new (await import('./script/target.ts')).ScriptTarget(config, folder),
  own: async (config, place) => (await import('./own/open.ts')).openOwnTarget(config, place),
};

/**
 * A configured target. It connects only when it is asked something; the caller closes it. Throws TargetError
 * `misconfigured` where it is a module that cannot be used.
 */
export async function createTarget(config: TargetConfig, place: Surroundings): Promise<Target> {
  return await create(config.type, config, place);
}

function create<Kind extends keyof Configs>(kind: Kind, config: Configs[Kind], place: Surroundings) {
  return kinds[kind](config, place);
}
