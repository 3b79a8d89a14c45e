/** What a module may leave out of `Target`: the rules of a system that takes everything to the letter. */
import { createHash } from 'node:crypto';
import type { Target, Value } from '../target.ts';

export const defaults = {
  /** Every text is an id of its own. */
  normalise: (remoteId: string): string => remoteId,

  /** The same values, in any order. */
  same: (_attribute: string, left: readonly Value[], right: readonly Value[]): boolean => {
    const texts = (values: readonly Value[]) => new Set(values.map((value) => JSON.stringify(value)));
    return texts(left).symmetricDifference(texts(right)).size === 0;
  },

  /** The id with the key's hash behind it. */
  aside: (remoteId: string, key: string): string =>
    `${remoteId}~${createHash('sha256').update(key).digest('hex').slice(0, 24)}`,

  close: async (): Promise<void> => {},
} satisfies Partial<Target>;
