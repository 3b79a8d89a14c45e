/** What goes wrong in a history, as plain data. Milliseconds are how long it lasts. */
import fc from 'fast-check';
import { mappings } from './configuration.ts';
import { targetNames } from './desired.ts';
import { type Weights, weighted } from './weighted.ts';

const daemon = fc.integer({ min: 0, max: 2 });
const target = fc.constantFrom(...targetNames);
const away = fc.integer({ min: 50, max: 900 });
const long = fc.integer({ min: 50, max: 3200 });

const mishaps = {
  'kill a daemon': fc.record({
    do: fc.constant('kill a daemon' as const),
    daemon,
    away,
  }),
  'kill every daemon': fc.record({
    do: fc.constant('kill every daemon' as const),
    away,
  }),
  'stop a daemon': fc.record({
    do: fc.constant('stop a daemon' as const),
    daemon,
    away,
  }),
  'reload a daemon': fc.record({
    do: fc.constant('reload a daemon' as const),
    daemon,
  }),
  'freeze a daemon': fc.record({
    do: fc.constant('freeze a daemon' as const),
    daemon,
    away: long,
  }),
  'stop a directory': fc.record({
    do: fc.constant('stop a directory' as const),
    target,
    away,
  }),
  'kill a directory': fc.record({
    do: fc.constant('kill a directory' as const),
    target,
    away,
  }),
  'freeze a directory': fc.record({
    do: fc.constant('freeze a directory' as const),
    target,
    away: long,
  }),
  'cut the connections': fc.record({
    do: fc.constant('cut the connections' as const),
    target,
  }),
  'half-close the connections': fc.record({
    do: fc.constant('half-close the connections' as const),
    target,
  }),
  'delay the answers': fc.record({
    do: fc.constant('delay the answers' as const),
    target,
    by: fc.integer({ min: 20, max: 700 }),
    away,
  }),
  'end sessions': fc.record({
    do: fc.constant('end sessions' as const),
    every: fc.integer({ min: 1, max: 3 }),
  }),
  'silence the bell': fc.record({
    do: fc.constant('silence the bell' as const),
    away: long,
  }),
  'hold a snapshot elsewhere': fc.record({
    do: fc.constant('hold a snapshot elsewhere' as const),
    away: long,
  }),
  'take a view away': fc.record({
    do: fc.constant('take a view away' as const),
    view: fc.constantFrom('person' as const, 'team' as const),
    away: long,
  }),
  apply: fc.record({
    do: fc.constant('apply' as const),
    mapping: fc.constantFrom(...mappings),
  }),
  rescan: fc.record({ do: fc.constant('rescan' as const) }),
  'restart the database': fc.record({
    do: fc.constant('restart the database' as const),
    mode: fc.constantFrom('fast' as const, 'immediate' as const),
    away: fc.integer({ min: 0, max: 500 }),
  }),
};
type Mishaps = typeof mishaps;
export type Mishap = {
  [Name in keyof Mishaps]: Mishaps[Name] extends fc.Arbitrary<infer T> ? T : never;
}[keyof Mishaps];

/** How often each mishap is drawn, as against the others; those left out never are. */
export type MishapWeights = Weights<Mishap['do']>;

export const everyMishap: MishapWeights = {
  'kill a daemon': 4,
  'kill every daemon': 2,
  'stop a daemon': 1,
  'reload a daemon': 3,
  'freeze a daemon': 4,
  'stop a directory': 2,
  'kill a directory': 2,
  'freeze a directory': 3,
  'cut the connections': 2,
  'half-close the connections': 1,
  'delay the answers': 2,
  'end sessions': 4,
  'silence the bell': 2,
  'hold a snapshot elsewhere': 1,
  'take a view away': 2,
  apply: 3,
  rescan: 1,
  'restart the database': 1,
};

export function mishapOf(weights: MishapWeights): fc.Arbitrary<Mishap> {
  return weighted<Mishap>(mishaps, weights);
}
