/** The rules of flows whose entries are records: ids and values are the same where they are equal to the letter. */
import { asideMark } from '../aside-mark.ts';
import type { Value } from '../target.ts';
import type { Rules } from './format.ts';

export const plainRules: Rules = {
  normalise: (remoteId) => remoteId,
  aside: (remoteId, key) => `${remoteId}#aside-${asideMark(key)}`,
  parent: () => undefined,
  depth: () => 0,
  moved: (remoteId) => remoteId,
  canonical: (attribute) => attribute,
  keyOf: (_, value) => JSON.stringify(value),
  held: (_, values) => distinct(values),
  created: (_, attributes) => attributes,
  renamed: ({ attributes, changes }) => ({ attributes, changes }),
  require: () => {},
};

function distinct(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
