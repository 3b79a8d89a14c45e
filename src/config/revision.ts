import { createHash } from 'node:crypto';
import { redactUrl } from './secret.ts';

/**
 * The revision of a configuration: SHA-256, in hex, of what the file says before any `${ENV}` is put in. Comments,
 * formatting, the order of keys, connection passwords, and what `apply` puts into the database for daemons to read there (a
 * target's mode and guard) do not count: a daemon need not be restarted for them.
 */
export function revision(written: unknown): string {
  return createHash('sha256').update(canonical(written, [])).digest('hex');
}

function isLeftOut([first, , third, fourth, ...more]: readonly string[]): boolean {
  if (first !== 'targets' || more.length > 0) return false;
  if (third === 'secrets') return true;
  return fourth === undefined ? third === 'mode' || third === 'guard' : third === 'bind' && fourth === 'password';
}

/** JSON with its keys in order. */
function canonical(value: unknown, path: readonly string[]): string {
  if (Array.isArray(value))
    return `[${value.map((item, index) => canonical(item, [...path, String(index)])).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value)
      .filter(([key]) => !isLeftOut([...path, key]))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, [...path, key])}`);
    return `{${pairs.join(',')}}`;
  }
  if (typeof value === 'string' && path[0] === 'database') return JSON.stringify(redactUrl(value));
  return JSON.stringify(value ?? null);
}
