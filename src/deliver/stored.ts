import { createHash } from 'node:crypto';
import type { Policy } from '../config/policies.ts';
import type { Attributes, Value } from '../targets/target.ts';

/** A value as a link keeps it: as it is, or only its hash where it is secret or long (PROTOCOL D5). */
export type StoredValue = Value | { readonly hash: string };

/** Attribute name → values, as a link keeps them. */
export type Stored = Readonly<Record<string, readonly StoredValue[]>>;

/** What decides how a link keeps the values of attributes. */
export interface Kept {
  /** Attributes that are stored as keyed hashes only. */
  readonly secret: ReadonlySet<string>;
  /** The policies of attributes, where they are another than `replace`. */
  readonly policies: ReadonlyMap<string, Policy>;
}

/** Of a value that is kept as it is, in bytes. */
const longest = 256;

/** That UTF-8 takes for a unit of UTF-16. */
const mostBytes = 3;

/**
 * The form in which a link keeps values; `key` is the installation's secret. Merged values are kept whole, however long:
 * they have to be named to be taken out again.
 */
export function toStored(attributes: Attributes, { secret, policies }: Kept, key: Buffer): Stored {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, values]) => [
      name,
      values.map((value) => {
        if (secret.has(name)) return { hash: keyedHash(value, key) };
        return policies.get(name) === 'merge' ? value : shorten(value);
      }),
    ]),
  );
}

/** sha256(k || sha256(k || v)), as SQL computes it too. */
function keyedHash(value: Value, key: Buffer): string {
  const inner = createHash('sha256').update(key).update(bytes(value)).digest();
  return createHash('sha256').update(key).update(inner).digest('hex');
}

function shorten(value: Value): StoredValue {
  if (typeof value === 'string' && value.length * mostBytes <= longest) return value;
  const content = bytes(value);
  return content.length > longest ? { hash: createHash('sha256').update(content).digest('hex') } : value;
}

function bytes(value: Value): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64');
}

/** Whether it is the value itself, and not its hash. */
export function isValue(value: StoredValue): value is Value {
  return typeof value === 'string' || 'base64' in value;
}

/** A text that is the same for two stored values exactly when they are the same. */
export function storedText(value: StoredValue): string {
  if (typeof value === 'string') return `=${value}`;
  return 'hash' in value ? `#${value.hash}` : `:${value.base64}`;
}

/** Whether two stored values are the same. */
export function isSameStored(one: StoredValue, other: StoredValue | undefined): boolean {
  if (other === undefined || typeof one === 'string') return one === other;
  return storedText(one) === storedText(other);
}
