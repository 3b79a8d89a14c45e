/** What a message about a change must not repeat, though the server may. */
import type { LdapConfig } from '../../config/ldap.ts';
import type { Change } from '../target.ts';
import { toText } from './value.ts';

/** Attributes that hold passwords, whether or not the mapping marks them as secret. */
const passwords = new Set([
  'userpassword',
  'unicodepwd',
  'authpassword',
  'sambantpassword',
  'sambalmpassword',
  'krbprincipalkey',
]);

/** The values of the secret attributes in a change, as text. */
export function secretsOf(config: LdapConfig, change: Change): string[] {
  const { attributes: mapped = {}, password } = config.entities[change.entity] ?? {};
  const isSecret = (name: string): boolean => {
    const attribute = mapped[name];
    return (
      passwords.has(name.toLowerCase().replace(/;.*/, '')) ||
      name === password?.attribute || // handed over
      (attribute !== undefined && 'secret' in attribute && attribute.secret)
    );
  };
  const values = valuesOf(change).filter(([name]) => isSecret(name));
  return values.flatMap(([, own]) => own.map((value) => toText(value))).filter((text) => text !== undefined);
}

function valuesOf(change: Change) {
  if (change.operation === 'create') return Object.entries(change.attributes);
  return change.operation === 'update' ? change.changes.map((one) => [one.attribute, one.values] as const) : [];
}
