/** The kinds of targets there are. A new kind is one more line in `kinds`. */
import type { TargetConfig } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { FileTarget } from './file/target.ts';
import { HttpTarget } from './http/target.ts';
import { LdapTarget } from './ldap/target.ts';
import { openOwnTarget } from './own/open.ts';
import { ScimTarget } from './scim/target.ts';
import { ScriptTarget } from './script/target.ts';
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
  readonly [Kind in keyof Configs]: (config: Configs[Kind], place: Surroundings) => Target | Promise<Target>;
} = {
  ldap: (config, { folder }) => new LdapTarget(config, folder),
  scim: (config, { folder }) => new ScimTarget(config, folder),
  http: (config, { folder }) => new HttpTarget(config, folder),
  file: (config, { folder }) => new FileTarget(config, folder),
  script: (config, { folder }) => new ScriptTarget(config, folder),
  own: openOwnTarget,
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
