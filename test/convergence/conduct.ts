/** How the targets of a history are dealt with, besides what they hold: what an administrator decides once. */
import fc from 'fast-check';
import type { TargetName } from './desired.ts';

export interface Conduct {
  /** A guard holds more than `budget` removals or clearings; else there is none. */
  readonly guarded: boolean;
  /** Who has left `archive` is deleted there after `daysDisabled`; else never. */
  readonly stepwise: boolean;
  /** The other targets come after `archive`; else in any order. */
  readonly ordered: boolean;
  /** Somebody else's entries are there already, and are adopted. */
  readonly inhabited: boolean;
  /** The target `lists` is written by a backend (`backends/10lists`), unless it is inhabited: nobody adopts through programs. */
  readonly played: boolean;
}

/** Whether a target is written by a backend. */
export function isPlayed(target: TargetName, { played, inhabited }: Conduct): boolean {
  return target === 'lists' && played && !inhabited;
}

/** Draws a conduct; what is given is not drawn. */
export function conductOf(given: Partial<Conduct>): fc.Arbitrary<Conduct> {
  const drawn = fc.constantFrom(false, false, true);
  const draw = (name: keyof Conduct) => (given[name] === undefined ? drawn : fc.constant(given[name]));
  return fc.record({
    guarded: draw('guarded'),
    stepwise: draw('stepwise'),
    ordered: draw('ordered'),
    inhabited: draw('inhabited'),
    played: draw('played'),
  });
}

/** Nothing of it: a history as if there were no administrators. */
export const careless: Conduct = { guarded: false, stepwise: false, ordered: false, inhabited: false, played: false };

/**
 * So many removals, and so many clearings, of each entity of a guarded target go out without a word in a whole history:
 * the floor. The share stays below it, for no registry here has a hundred people.
 */
export const budget = 4;

/** The guard of a guarded target, as `staffetta.yml` says it. */
export const guard = `{ removals: 4%, changes: 4%, floor: ${budget}, window: 24h }`;

/** Days that an entry of a stepwise target is disabled before it is deleted. */
export const daysDisabled = 30;
