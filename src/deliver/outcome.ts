import type { Status } from '../hooks/round.ts';
import type { Data, TargetErrorKind } from '../targets/target.ts';
import type { Disable } from './load.ts';
import type { Mode } from './permit.ts';
import type { NewLink, Operation } from './plan.ts';
import type { Member } from './references.ts';
import type { Stored } from './stored.ts';
import type { Wait } from './wait.ts';

/**
 * What became of a claimed delivery:
 * - `done`: paid; gone, unless a newer event came meanwhile
 * - `again`: not paid yet, due at once (or after `dueIn`): the live entry has to be read, an entry stepped aside, a
 *   removal waits for its re-insertion
 * - `retry`: failed, tried again after a pause that grows with each attempt
 * - `wait`: for another delivery, or for an entry that must be there first
 * - `park`: cannot succeed until somebody changes something
 * - `hold`: waits for the word of an administrator
 * - `release`: given back as it was; nobody's attempts are spent (`dueIn`: others go first)
 */
export interface Outcome {
  readonly entity: string;
  readonly key: string;
  readonly outcome: 'done' | 'again' | 'retry' | 'wait' | 'park' | 'hold' | 'release';
  /** Seconds until it is due again. */
  readonly dueIn?: number;
  /** What is on the target is not known for certain. */
  readonly unsure?: boolean;
  /** Something may have gone out, and this is the remote id it was written under. */
  readonly sent?: string;
  /** The key was proven absent. */
  readonly absent?: boolean;
  readonly waitFor?: Wait;
  /** How to disable the entry that it waits for, once it is its own. */
  readonly disable?: Disable | null;
  /** The target that it waits for, or whose parked delivery keeps it from going on (PROTOCOL F2). */
  readonly behind?: string;
  /** Who holds it: the guard, or the mode of the target. */
  readonly by?: 'guard' | Exclude<Mode, 'live'>;
  /** What would be done to it if it were not held, and why it is. */
  readonly planned?: string;
  readonly reason?: string;
  /** What the link says from now on; null: there is none; left out: it stays. */
  readonly link?: (NewLink & { readonly stableId: string | null }) | null;
  /** The normalised remote ids that stay reserved; left out: all do, and all unique values. */
  readonly reserved?: readonly string[];
  /** What the entry has of unique attributes, whose values stay reserved; left out: what the link says. */
  readonly stands?: Stored;
  readonly members?: readonly Member[];
  /** Without a link, who its members are stays known: it is in the view. */
  readonly holds?: true;
  readonly error?: { readonly kind: TargetErrorKind; readonly message: string; readonly retryAfter?: number };
  /** What the target said beside it, for the write-back. */
  readonly data?: Data;
  /** What each hook said, in order. */
  readonly hooks?: readonly Status[];
  /** Of the desired state that is parked or held: a rescan tries again once it is another. */
  readonly fingerprint?: string | null;
  /** A row of the journal; left out: nothing happened that is worth one. */
  readonly journal?: {
    readonly operation: Operation;
    readonly result: 'done' | 'would' | 'held' | 'retried' | 'waiting' | 'parked' | 'unavailable' | 'fenced';
    readonly remoteId: string | null;
    readonly changed?: readonly string[];
  };
}

/** Given back as it was. */
export function release({ entity, key }: Pick<Outcome, 'entity' | 'key'>): Outcome {
  return { entity, key, outcome: 'release' };
}
