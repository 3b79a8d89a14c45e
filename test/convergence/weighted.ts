import fc from 'fast-check';

/** How often things are drawn, as against each other, by name; those left out never are. */
export type Weights<Name extends string> = { readonly [Each in Name]?: number };

/** Draws from named arbitraries as often as their weights say. */
export function weighted<T>(
  arbitraries: Readonly<Record<string, fc.Arbitrary<T>>>,
  weights: Weights<string>,
): fc.Arbitrary<T> {
  const drawn = Object.entries(arbitraries).map(([name, arbitrary]) => ({
    arbitrary,
    weight: weights[name] ?? 0,
  }));
  return fc.oneof(...drawn.filter(({ weight }) => weight > 0));
}
