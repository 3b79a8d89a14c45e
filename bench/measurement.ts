import type { Figure } from './figure.ts';
import type { Run } from './run.ts';

/** One of the things that the bench measures. */
export interface Measurement {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Measures, and records its figures. What it defers on `stack` is done when it is over, however it ended. */
  measure(run: Run, stack: AsyncDisposableStack): Promise<void>;
}
