/** What people do by hand in a history, to Staffetta and behind its back, as plain data. Milliseconds are how long it lasts. */
import fc from 'fast-check';
import { targetNames } from './desired.ts';
import { type Weights, weighted } from './weighted.ts';

const target = fc.constantFrom(...targetNames);
const away = fc.integer({ min: 50, max: 2500 });
const share = fc.constantFrom('all' as const, 'some' as const);
/** Which of the entries that are there, counted round. */
const entry = fc.nat({ max: 99 });

const acts = {
  'look on': fc.record({ do: fc.constant('look on' as const), target, away }),
  'ask for a word': fc.record({ do: fc.constant('ask for a word' as const), target, away, share }),
  approve: fc.record({ do: fc.constant('approve' as const), target, share }),
  discard: fc.record({ do: fc.constant('discard' as const), target }),
  reconcile: fc.record({ do: fc.constant('reconcile' as const), target }),
  'let days pass': fc.record({ do: fc.constant('let days pass' as const), days: fc.constantFrom(10, 20, 40) }),
  'change an entry': fc.record({ do: fc.constant('change an entry' as const), target, entry }),
  'delete an entry': fc.record({ do: fc.constant('delete an entry' as const), target, entry }),
  'add an entry': fc.record({ do: fc.constant('add an entry' as const), target, within: fc.boolean() }),
};
type Acts = typeof acts;
export type Act = {
  [Name in keyof Acts]: Acts[Name] extends fc.Arbitrary<infer T> ? T : never;
}[keyof Acts];

/** How often each act is drawn, as against the others; those left out never are. */
export type ActWeights = Weights<Act['do']>;

export const everyAct: ActWeights = {
  'look on': 2,
  'ask for a word': 2,
  approve: 2,
  discard: 2,
  reconcile: 1,
  'let days pass': 2,
  'change an entry': 3,
  'delete an entry': 2,
  'add an entry': 1,
};

export function actOf(weights: ActWeights): fc.Arbitrary<Act> {
  return weighted<Act>(acts, weights);
}
