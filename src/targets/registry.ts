/** The kinds of targets there are. A new kind is one more line here. */
import type { TargetConfig } from '../config/schema.ts';
import { HttpTarget } from './http/target.ts';
import { LdapTarget } from './ldap/target.ts';
import { ScimTarget } from './scim/target.ts';
import { ScriptTarget } from './script/target.ts';
import type { Target } from './target.ts';

/**
 * A configured target. `name`: as `staffetta.yml` calls it; `folder`: where relative file names in the file begin. It
 * connects only when it is asked something; the caller closes it.
 */
export function createTarget(_name: string, config: TargetConfig, folder: string): Target {
  switch (config.type) {
    case 'http':
      return new HttpTarget(config, folder);
    case 'ldap':
      return new LdapTarget(config, folder);
    case 'script':
      return new ScriptTarget(config, folder);
    case 'scim':
      return new ScimTarget(config, folder);
  }
}
