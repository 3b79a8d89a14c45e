/** LDAP targets for tests, configured as `staffetta.yml` would. */
import { type LdapConfig, ldap } from '../../../src/config/ldap.ts';
import { LdapTarget } from '../../../src/targets/ldap/target.ts';

interface Place {
  readonly url: string;
  readonly suffix: string;
  readonly bind: { readonly dn: string; readonly password: string };
}

/** The configuration of a target at a directory, with anything else on top. */
function ldapConfig({ url, suffix, bind }: Place, more: Readonly<Record<string, unknown>> = {}): LdapConfig {
  return ldap.parse({
    type: 'ldap',
    url,
    bind,
    entities: {
      person: {
        dn: `uid={uid},ou=people,${suffix}`,
        match: { employeeNumber: 'id' },
        attributes: {
          objectClass: { values: ['inetOrgPerson'] },
          cn: '{name}',
          sn: '{name}',
          userPassword: { from: 'password', secret: true },
        },
        disable: { dn: `uid={uid},ou=former,${suffix}` },
      },
      group: { dn: `cn={name},ou=groups,${suffix}`, attributes: { objectClass: { values: ['groupOfNames'] } } },
    },
    ...more,
  });
}

export function createLdapTarget(place: Place, more: Readonly<Record<string, unknown>> = {}): LdapTarget {
  return new LdapTarget(ldapConfig(place, more), '.');
}

/** A signal that ends nothing within a test. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(60_000);
}
