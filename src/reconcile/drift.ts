/**
 * How a live entry differs from its desired state. What is drift is decided by the planner that deliveries use: a key of
 * which it would write something, were it replayed now, has drifted; nobody else has.
 */
import type { Loaded } from '../deliver/load.ts';
import type { Context } from '../deliver/plan.ts';
import { plan } from '../deliver/planner.ts';
import type { Members } from '../deliver/references.ts';
import { type RemoteState, TargetError } from '../targets/target.ts';

/** A difference, as `staffetta.drift` shows it. */
export interface Drift {
  /** The identity; null: none accounts for the entry. */
  readonly key: string | null;
  /**
   * - `missing`: the entry is not there
   * - `changed`: attributes differ
   * - `misplaced`: it stands under another remote id; attributes may differ as well
   * - `unlinked`: it is there, but no link tells of it
   * - `unexpected`: it should not be there
   * - `unreadable`: the desired state or the entry cannot be read, so nothing can be said
   */
  readonly what: 'missing' | 'changed' | 'misplaced' | 'unlinked' | 'unexpected' | 'unreadable';
  /** Where the entry stands, or should. */
  readonly remoteId: string | null;
  /** Names of those that differ. */
  readonly attributes: readonly string[];
  readonly note: string | null;
  /** The normalised remote id to reserve, so that a replay finds the entry. */
  readonly normalised?: string;
  /** Whether a replay would mend it. */
  readonly repairable: boolean;
}

/**
 * The drift of one key; undefined where there is none. Of an identity that has left the view only the entry that was
 * disabled is compared: what is still to be done about the others is not the target's doing, and the rescan finds it.
 */
export function judge(
  loaded: Loaded,
  live: RemoteState | 'absent',
  members: Members | undefined,
  context: Context,
): Drift | undefined {
  const { key } = loaded.claimed;
  if (!loaded.desired && loaded.link?.state !== 'disabled') return undefined;
  const remoteId = live === 'absent' ? (loaded.desired?.remoteId ?? loaded.link?.remoteId ?? null) : live.remoteId;
  try {
    const planned = plan({ ...loaded, wantedBy: undefined }, live, members, context);
    if (planned.do === 'park') return unreadable(key, planned.reason, remoteId);
    if (planned.do !== 'write') return undefined;
    const { operation, change } = planned;
    const plain = { key, remoteId, attributes: [], note: null, repairable: true };
    if (change.operation === 'create') return { ...plain, what: 'missing' };
    if (change.operation === 'remove')
      return (
        loaded.desired && { ...plain, what: 'unexpected', note: 'it should not be there at present', repairable: false }
      );
    const attributes = [...new Set(change.changes.map(({ attribute }) => attribute))].sort();
    if (operation === 'adopt') return { ...plain, what: 'unlinked', attributes };
    if (change.renameTo === undefined) return { ...plain, what: 'changed', attributes };
    return { ...plain, what: 'misplaced', attributes, note: `expected at ${change.renameTo}` };
  } catch (error) {
    if (error instanceof TargetError) return unreadable(key, error.message, remoteId);
    throw error;
  }
}

/** A key of which nothing can be said. */
export function unreadable(key: string, note: string, remoteId: string | null = null): Drift {
  return { key, what: 'unreadable', remoteId, attributes: [], note, repairable: false };
}
