import type { Value } from './target.ts';

/** Whether two lists hold the same values, in any order and number. `textOf`: two values are one where their texts are. */
export function sameValues(left: readonly Value[], right: readonly Value[], textOf: (value: Value) => string): boolean {
  const texts = (values: readonly Value[]) => new Set(values.map(textOf));
  return texts(left).symmetricDifference(texts(right)).size === 0;
}
