import type { Change, RemoteState } from '../targets/target.ts';
import { address, update } from './change.ts';
import type { Link } from './load.ts';
import type { Context, NewLink, Write } from './plan.ts';
import type { Wait } from './wait.ts';

/** An entry that we made for the key beside the one it has is taken away; then the key is looked at again. */
export function planStrayRemoval(stray: RemoteState, { mapping }: Context): Write {
  const change: Change = { operation: 'remove', entity: mapping.entity, ...address(stray) };
  return { do: 'write', operation: 'remove', change, link: 'leave', members: [] };
}

/**
 * A swap: the smallest key of a circle frees the remote id under which its entry stands by stepping aside, and waits for
 * the one it wants (PROTOCOL C4). Undefined where it has done so already, or has no entry.
 */
export function planStepAside(
  intended: Write,
  link: Link | undefined,
  key: string,
  wait: Wait,
  { mapping, target }: Context,
): Write | undefined {
  if (intended.change.operation !== 'update' || intended.link === 'leave') return undefined;
  const { remoteId } = intended.change;
  const renameTo = target.aside(remoteId, key);
  if (target.normalise(renameTo) === target.normalise(remoteId)) return undefined;
  const change = update(mapping.entity, intended.change, renameTo, []);
  const known = link ?? { state: 'active', attributes: {}, disable: intended.link?.disable ?? null };
  const next: NewLink = { ...known, remoteId: renameTo, fingerprint: null };
  return { do: 'write', operation: 'step aside', change, link: next, members: [], waitFor: wait };
}
