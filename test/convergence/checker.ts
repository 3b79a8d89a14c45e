/** The checker is checked: each planted bug has to make a history fail which converges without the bug. */
import type { BugName } from './bugs.ts';
import type { ChangeWeights } from './change.ts';
import { careless } from './conduct.ts';
import { drawHistory, type Nature } from './history.ts';
import type { Ground } from './site.ts';
import { tryHistory } from './trial.ts';

/** How a bug is looked for. */
interface Hunt {
  /** The histories that it is looked for in: in them, what the bug needs to do harm happens often. */
  readonly nature: Nature;
  /** Within how many histories it has to be found. */
  readonly within: number;
  /** It is found in the first one or two, so that `npm test` can look for it. */
  readonly quick?: true;
}

/** Without crowds and truncates: those owe a rescan, which mends what a bug has broken. */
const churn: ChangeWeights = {
  insert: 6,
  update: 8,
  rename: 3,
  swap: 2,
  delete: 2,
  'insert anew': 2,
};
const transactions = { min: 12, max: 20 };
const none = { min: 0, max: 0 };
/** Without administrators, who would reconcile, and mend what a bug has broken. */
const unattended = { deeds: none, conduct: careless };
/** Without anything that goes wrong. */
const calm = { mishaps: { rescan: 1 }, many: none };
const quiet = { ...calm, ...unattended };

/** Changes that go on for as long as somebody looks on. */
const observed = {
  changes: churn,
  transactions: { min: 30, max: 40 },
  deeds: { min: 2, max: 3 },
  conduct: careless,
};

export const hunts: Readonly<Record<BugName, Hunt>> = {
  'settle ignores rev': {
    nature: { ...quiet, changes: churn, transactions, latency: [60] },
    within: 8,
    quick: true,
  },
  'claims without a token': {
    nature: { ...quiet, changes: churn, transactions, latency: [60] },
    within: 8,
  },
  'no doubt': {
    nature: {
      ...unattended,
      changes: { insert: 6, 'insert anew': 4, delete: 3, update: 2 },
      mishaps: { 'kill every daemon': 1 },
      many: { min: 2, max: 4 },
      transactions,
      latency: [30],
    },
    within: 8,
  },
  'claim and load in one': {
    nature: { ...quiet, changes: churn, transactions },
    within: 8,
  },
  'no reservations': {
    nature: {
      ...quiet,
      changes: { insert: 6, swap: 8, rename: 2, delete: 1 },
      transactions,
      latency: [30],
    },
    within: 8,
  },
  'absence unproven': {
    nature: {
      ...unattended,
      changes: churn,
      mishaps: { 'take a view away': 1 },
      many: { min: 2, max: 3 },
      transactions,
    },
    within: 8,
    quick: true,
  },
  'guard ignored': {
    nature: {
      ...calm,
      changes: { crowd: 3, disperse: 2, blank: 2, insert: 2, delete: 2 },
      transactions,
      acts: { approve: 1, discard: 1 },
      deeds: { min: 0, max: 2 },
      conduct: { ...careless, guarded: true },
    },
    within: 8,
  },
  'observe sends': {
    nature: { ...calm, ...observed, acts: { 'look on': 1 } },
    within: 8,
  },
  'manual sends': {
    nature: { ...calm, ...observed, acts: { 'ask for a word': 1 } },
    within: 8,
  },
  'order ignored': {
    nature: {
      ...calm,
      changes: { ...churn, crowd: 2 },
      transactions,
      latency: [30],
      deeds: none,
      conduct: { ...careless, ordered: true },
    },
    within: 8,
  },
  'steps at once': {
    nature: {
      ...calm,
      changes: churn,
      transactions,
      deeds: none,
      conduct: { ...careless, stepwise: true },
    },
    within: 8,
  },
};

/** Milliseconds that a history with a bug may take to come to rest; what is parked by then stays so. */
const patience = 12_000;

/** What came of a hunt. */
export interface Hunted {
  /** The how many-th history failed with the bug; undefined: none did within the number for it. */
  readonly found: number | undefined;
  /** What is wrong, and how it may have come about, when that history is played without the bug; empty: it converges. */
  readonly without: readonly string[];
}

/** Plays histories until one fails with the bug. */
export async function hunt(bug: BugName, createGround: () => Promise<Ground>): Promise<Hunted> {
  const { nature, within } = hunts[bug];
  for (let seed = 1; seed <= within; seed++) {
    const history = drawHistory(seed, nature);
    const { findings } = await tryHistory(history, await createGround(), {
      bug,
      patience,
    });
    if (findings.length === 0) continue;
    const without = await tryHistory(history, await createGround());
    return { found: seed, without: without.findings.length === 0 ? [] : [...without.traces, ...without.findings] };
  }
  return { found: undefined, without: [] };
}
