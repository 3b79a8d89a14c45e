import { once } from 'node:events';
import type { Outcome } from '../deliver/outcome.ts';
import { TourError } from './tour-error.ts';

/** The longest that a change may take, in milliseconds. */
const patience = 60_000;

/** Tells who waits for an identity that its entry is up to date. */
export class Arrivals extends EventTarget {
  /** What a daemon's `settled` is told. */
  settled(outcomes: readonly Outcome[]): void {
    for (const { entity, key, outcome } of outcomes)
      if (outcome === 'done') this.dispatchEvent(new Event(`${entity} ${key}`));
  }

  /** Resolves when the next delivery of a key is done; ask before the change is made. */
  async next(entity: string, key: string, stop: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(patience);
    try {
      await once(this, `${entity} ${key}`, { signal: AbortSignal.any([stop, late]) });
    } catch (error) {
      if (stop.aborted || !late.aborted) throw error;
      throw new TourError(`The change of ${entity} ${key} was not in the directory after ${patience / 1_000} s.`);
    }
  }
}
