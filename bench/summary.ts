import type { Figure } from './figure.ts';

/** What the rounds of a figure gave. */
export interface Summary {
  readonly figure: Figure;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export function summarise(figure: Figure, values: readonly number[]): Summary {
  return {
    figure,
    median: percentile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
    rounds: values.length,
  };
}

/** The value that a share of all values does not exceed, interpolated between the two next to it; NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below = Number.NaN, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}
