import { createHash } from 'node:crypto';

/** A database object that `apply` makes from the configuration, and makes again only when its statements change. */
export interface Generated {
  /** What it is for; with `name` it is unique. */
  readonly kind: 'capture' | 'keys' | 'scope' | 'desired';
  readonly name: string;
  /** Statements that make it, whether or not an older one is there. */
  readonly make: readonly string[];
  /** Statements that remove it, whether or not it is there. */
  readonly remove: readonly string[];
}

/** Hex sha256 of a text. */
export function hashOf(...text: readonly string[]): string {
  return createHash('sha256').update(text.join('\0')).digest('hex');
}
