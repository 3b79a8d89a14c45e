/** The kinds of targets there are. A new kind is one more line here. */
import type { TargetConfig } from '../config/schema.ts';
import { LdapTarget } from './ldap/target.ts';
import type { Target } from './target.ts';

const kinds = {
  ldap: (config: TargetConfig, folder: string): Target => new LdapTarget(config, folder),
} satisfies Record<TargetConfig['type'], (config: TargetConfig, folder: string) => Target>;

/**
 * A configured target. `name`: as `staffetta.yml` calls it; `folder`: where relative file names in the file begin. It
 * connects only when it is asked something; the caller closes it.
 */
export function createTarget(_name: string, config: TargetConfig, folder: string): Target {
  return kinds[config.type](config, folder);
}
