/** What no message about a module may show. */
import type { OwnConfig } from '../../config/own.ts';
import { readSecret } from '../../config/secret.ts';
import type { Attributes, Change, Value, Whole } from '../target.ts';

/** What `secrets:` holds, as far as it can be read: the module says so where it cannot. */
export function secretsOf({ secrets }: OwnConfig): string[] {
  return Object.values(secrets).flatMap((secret) => {
    try {
      return [readSecret(secret)];
    } catch {
      return [];
    }
  });
}

/** The values of secret attributes in a change, and of the entry that it is a change of. */
export function secretsIn({ entities }: OwnConfig, entity: string, change?: Change, whole?: Whole): string[] {
  const attributes = Object.entries(entities[entity]?.attributes ?? {});
  const secret = new Set(attributes.flatMap(([name, of]) => (of.kind !== 'reference' && of.secret ? [name] : [])));
  if (secret.size === 0) return [];
  const inside = (given: Attributes = {}) =>
    Object.entries(given).flatMap(([name, values]) => (secret.has(name) ? values.map(textOf) : []));
  const changed = change?.operation === 'update' ? change.changes : [];
  return [
    ...inside(change?.operation === 'create' ? change.attributes : {}),
    ...changed.flatMap(({ attribute, values }) => (secret.has(attribute) ? values.map(textOf) : [])),
    ...inside(whole?.desired),
    ...inside(whole?.written),
  ];
}

/** A value as it would be shown. */
export function textOf(value: Value): string {
  return typeof value === 'string' ? value : value.base64;
}
