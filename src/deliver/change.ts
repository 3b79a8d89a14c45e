import type { AttributeChange, Change, RemoteState, Target } from '../targets/target.ts';
import type { Link } from './load.ts';

/** Where an entry is. */
export interface Entry {
  readonly remoteId: string;
  readonly stableId?: string | null;
}

/** An entry as a target is told of it. */
export function address({ remoteId, stableId }: Entry): { remoteId: string; stableId?: string } {
  return stableId ? { remoteId, stableId } : { remoteId };
}

/** A change of an entry: first its remote id, then its attributes. */
export function update(
  entity: string,
  entry: Entry,
  renameTo: string | undefined,
  changes: readonly AttributeChange[],
): Change {
  return { operation: 'update', entity, ...address(entry), changes, ...(renameTo === undefined ? {} : { renameTo }) };
}

/** Other than by the rules of the target, or, if we wrote the old one, by a single letter: people see case. */
export function isRenamed(
  { remoteId: from, createdByUs }: Pick<RemoteState, 'remoteId' | 'createdByUs'>,
  to: string,
  link: Link | undefined,
  target: Target,
): boolean {
  if (from === to) return false;
  return target.normalise(from) !== target.normalise(to) || (link ? link.remoteId !== to : createdByUs === true);
}
