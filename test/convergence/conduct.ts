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
  /** How the target `lists` is written, unless it is inhabited: then, as the others are, over LDAP. */
  readonly lists: Means;
}

/**
 * How a target is written: over LDAP, by a backend that does so (`backends/10lists`), as a flow of LDIF files, over HTTP to
 * a service, or to one that speaks SCIM.
 */
export const means = ['ldap', 'script', 'file', 'http', 'scim'] as const;
export type Means = (typeof means)[number];

export function meansOf(target: TargetName, { lists, inhabited }: Conduct): Means {
  return target === 'lists' && !inhabited ? lists : 'ldap';
}

/** Draws a conduct; what is given is not drawn. */
export function conductOf(given: Partial<Conduct>): fc.Arbitrary<Conduct> {
  const drawn = fc.constantFrom(false, false, true);
  const draw = (name: keyof Omit<Conduct, 'lists'>) => (given[name] === undefined ? drawn : fc.constant(given[name]));
  return fc.record({
    guarded: draw('guarded'),
    stepwise: draw('stepwise'),
    ordered: draw('ordered'),
    inhabited: draw('inhabited'),
    lists: given.lists === undefined ? fc.constantFrom('ldap' as const, ...means) : fc.constant(given.lists),
  });
}

/** Nothing of it: a history as if there were no administrators. */
export const careless: Conduct = { guarded: false, stepwise: false, ordered: false, inhabited: false, lists: 'ldap' };

/**
 * So many removals, and so many clearings, of each entity of a guarded target go out without a word in a whole history:
 * the floor. The share stays below it, for no registry here has a hundred people.
 */
export const budget = 4;

/** The guard of a guarded target, as `staffetta.yml` says it. */
export const guard = `{ removals: 4%, changes: 4%, floor: ${budget}, window: 24h }`;

/** Days that an entry of a stepwise target is disabled before it is deleted. */
export const daysDisabled = 30;
