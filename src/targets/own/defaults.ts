/** What a module may leave out of `Target`: the rules of a system that takes everything to the letter. */
import { asideMark } from '../aside-mark.ts';
import { sameValues } from '../same-values.ts';
import type { Target, Value } from '../target.ts';

export const defaults = {
  /** Every text is an id of its own. */
  normalise: (remoteId: string): string => remoteId,

  /** The same values, in any order. */
  same: (_attribute: string, left: readonly Value[], right: readonly Value[]): boolean =>
    sameValues(left, right, (value) => JSON.stringify(value)),

  /** The id with the key's hash behind it. */
  aside: (remoteId: string, key: string): string => `${remoteId}~${asideMark(key)}`,

  close: async (): Promise<void> => {},
} satisfies Partial<Target>;
