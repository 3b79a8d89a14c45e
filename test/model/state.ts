import type { Id, Ids } from './ids.ts';

/** What a target answered to an operation, or that it has not. */
export type Answer = 'none' | 'done' | 'exists' | 'gone';

/** What a settle records (Outcome). `link` and `reserved`: what they become; undefined: what they are. */
export interface Result {
  readonly outcome: 'done' | 'again' | 'release' | 'park';
  readonly unsure: boolean;
  /** The remote id that may have been written. */
  readonly sent: Id;
  readonly link: Id | undefined;
  readonly reserved: Ids | undefined;
}

/** What goes out, or nothing (`adopt`: the entry is as it shall be). */
export interface Operation {
  readonly kind: 'create' | 'rename' | 'remove' | 'remove stray' | 'adopt';
  readonly from: Id;
  readonly to: Id;
  /** Made although there is no row: absence has to be proven once more. */
  readonly absent: boolean;
  /** What the link said when this was planned. */
  readonly link: Id;
}

/** What a worker knows of its key after the claim. */
interface Known {
  readonly unsure: boolean;
  readonly stray: Ids;
}

/** Where a worker is in claim ► load ► look ► plan ► secure ► send ► settle. */
export type Phase =
  | { readonly at: 'idle' }
  /** Claims and loads in one statement: what the statement's snapshot saw. */
  | { readonly at: 'claiming'; readonly desired: Id; readonly link: Id }
  | (Known & { readonly at: 'claimed' })
  | (Known & { readonly at: 'loaded'; readonly desired: Id; readonly link: Id })
  | {
      readonly at: 'looking';
      readonly desired: Id;
      readonly link: Id;
      /** Places still to read. */
      readonly places: Ids;
      readonly live: Id;
    }
  | { readonly at: 'planned' | 'secured' | 'proven' | 'checked'; readonly operation: Operation }
  | { readonly at: 'sent'; readonly operation: Operation; readonly answer: Answer }
  | { readonly at: 'settling'; readonly result: Result }
  /** Settles without locking first: what the statement's snapshot saw. */
  | { readonly at: 'recording'; readonly result: Result; readonly mine: boolean; readonly moved: boolean };

export interface Worker {
  readonly phase: Phase;
  /** It was stopped until its lease had run out, and goes on. */
  readonly late: boolean;
  /** It was stopped between its look at the clock and the end of its operation. */
  readonly overtaken: boolean;
}

/** The row of `staffetta.delivery`. */
export interface Delivery {
  /** `rev <> claimed_rev`. */
  readonly moved: boolean;
  /** Whose claim it carries: a worker's; that of one that died; none. */
  readonly token: 0 | 1 | 'dead' | undefined;
  /** `lease_until < now()`. */
  readonly lapsed: boolean;
  readonly unsure: boolean;
  readonly stray: Ids;
  readonly parked: boolean;
}

export interface State {
  /** The remote id that the view gives for the key; 0: it has no row. */
  readonly source: Id;
  /** Changes of the source that may still come. */
  readonly changes: number;
  /** An event waits to be ingested. */
  readonly event: boolean;
  readonly delivery: Delivery | undefined;
  /** `staffetta.link.remote_id`; 0: no link. */
  readonly link: Id;
  /** The ids in `staffetta.remote_id` for the key. */
  readonly reserved: Ids;
  /** The entries on the target. */
  readonly entries: Ids;
  readonly workers: readonly [Worker, Worker];
  /** Faults that may still come. */
  readonly kills: number;
  readonly stops: number;
}

export const idle: Worker = { phase: { at: 'idle' }, late: false, overtaken: false };

/** The state with another worker in place of one. */
export function employ(state: State, index: 0 | 1, worker: Worker): State {
  const { workers } = state;
  return { ...state, workers: index === 0 ? [worker, workers[1]] : [workers[0], worker] };
}

/** What the workers are called. */
export const letters = ['A', 'B'] as const;
