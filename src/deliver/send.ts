import type { Parameters } from '../database/parameters.ts';
import { type Applied, TargetError, type TargetErrorKind } from '../targets/target.ts';
import { backOff } from './back-off.ts';
import type { Loaded } from './load.ts';
import type { Outcome } from './outcome.ts';
import type { Write } from './plan.ts';
import type { Destination } from './route.ts';
import { wholeOf } from './whole.ts';

/** Seconds after which one who waits for another looks by itself; the other's settling calls it earlier. */
export const waitPause = 5;

/** Sends one change and says what became of its delivery. */
export async function send(
  destination: Destination,
  loaded: Loaded,
  write: Write,
  parameters: Parameters,
): Promise<Outcome> {
  try {
    const applied = isEmpty(write)
      ? write.change
      : await destination.target.apply(
          write.change,
          AbortSignal.timeout(destination.timeout),
          destination.target.whole ? wholeOf(loaded) : undefined,
        );
    return succeeded(destination, loaded, write, applied);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return failed(destination, loaded, error, parameters, write);
  }
}

/** Whether nothing goes out: an entry that is adopted as it is. */
export function isEmpty({ change }: Write): boolean {
  return change.operation === 'update' && change.renameTo === undefined && change.changes.length === 0;
}

function succeeded({ target }: Destination, { claimed, link }: Loaded, write: Write, applied: Applied): Outcome {
  const { entity, key } = claimed;
  const normalised = target.normalise(applied.remoteId);
  const done = {
    entity,
    key,
    sent: applied.remoteId,
    members: write.members,
    ...(applied.data ? { data: applied.data } : {}),
    ...(write.holds ? { holds: write.holds } : {}),
    journal: {
      operation: write.operation,
      result: 'done' as const,
      remoteId: applied.remoteId,
      changed: changedAttributes(write),
    },
  };
  if (write.link === 'leave') return { ...done, outcome: 'again', unsure: true };
  if (!write.link) return { ...done, outcome: 'done', link: null, reserved: [] };
  const next = { ...write.link, stableId: applied.stableId ?? link?.stableId ?? null };
  const meant = target.normalise(write.link.remoteId);
  if (meant !== normalised) {
    // Somebody had moved the entry, and it was found by its stable id: it is renamed once we have read it.
    const there = { ...next, remoteId: applied.remoteId, fingerprint: null };
    return { ...done, outcome: 'again', unsure: true, link: there, reserved: [meant, normalised] };
  }
  if (write.waitFor)
    return { ...done, outcome: 'wait', waitFor: write.waitFor, dueIn: waitPause, link: next, reserved: [meant] };
  return { ...done, outcome: 'done', link: next, reserved: [meant] };
}

/** The names of the attributes that a change touches, in order. */
export function changedAttributes({ change }: Write): string[] {
  if (change.operation === 'remove') return [];
  const names =
    change.operation === 'create' ? Object.keys(change.attributes) : change.changes.map(({ attribute }) => attribute);
  return [...new Set(names)].sort();
}

/** Kinds of failure of which it is certain that nothing was done. */
const refusals: ReadonlySet<TargetErrorKind> = new Set(['exists', 'rejected', 'one-sided', 'dependency']);

/**
 * What a failure means for one delivery (the kinds are explained at `TargetErrorKind`). What it means for the target as
 * a whole – waiting, quarantine – is decided over the batch.
 */
export function failed(
  destination: Destination,
  { claimed, link }: Loaded,
  error: TargetError,
  parameters: Parameters,
  write?: Write,
): Outcome {
  const { entity, key, attempts } = claimed;
  const operation = write?.operation ?? 'none';
  const remoteId = write?.change.remoteId ?? link?.remoteId ?? null;
  const said = {
    entity,
    key,
    unsure: error.unsure,
    error: {
      kind: error.kind,
      message: error.message,
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    },
    ...(error.data ? { data: error.data } : {}),
  };
  const goal = write?.change.operation === 'update' ? (write.change.renameTo ?? remoteId) : remoteId;
  const sent = error.unsure && goal !== null ? { sent: goal } : {};
  const pause = backOff(attempts, parameters.RETRY_SECONDS, parameters.RETRY_MAX_SECONDS);
  const exhausted = attempts + 1 >= parameters.RETRY_ATTEMPTS;
  const refused = !error.unsure && refusals.has(error.kind);
  const parked: Outcome = {
    ...said,
    outcome: 'park',
    unsure: !refused,
    // What was refused for certain gives its new remote id back, but never that of an entry that is there; what may
    // have been done keeps it.
    ...(refused && write ? { reserved: standing(destination, link, write) } : sent),
    journal: { operation, result: 'parked', remoteId },
  };
  switch (error.kind) {
    case 'unavailable':
    case 'misconfigured':
      return {
        entity,
        key,
        outcome: 'release',
        // It may be what the server cannot stand: somebody else tries whether it answers, or nobody would get through.
        ...(error.unsure ? { dueIn: parameters.RETRY_SECONDS } : {}),
        unsure: error.unsure,
        ...sent,
        error: said.error,
        journal: { operation, result: 'unavailable', remoteId },
      };
    case 'gone':
    case 'converged':
      // Not a failure: the entry is not what the link says. Read it and compare again; but not for ever.
      if (exhausted) return parked;
      return {
        ...said,
        outcome: attempts === 0 ? 'again' : 'retry',
        dueIn: attempts === 0 ? 0 : pause,
        unsure: true,
        ...sent,
      };
    case 'dependency':
      if (exhausted) return parked;
      return { ...said, outcome: 'wait', dueIn: pause, ...sent, journal: { operation, result: 'waiting', remoteId } };
    case 'exists':
    case 'rejected':
    case 'one-sided':
      return parked;
    case 'unknown':
      if (exhausted) return parked;
      return {
        ...said,
        outcome: 'retry',
        dueIn: pause,
        unsure: true,
        ...sent,
        journal: { operation, result: 'retried', remoteId },
      };
  }
}

/** The normalised remote ids under which a key may have an entry, none of what was refused having been done. */
function standing({ target }: Destination, link: Loaded['link'], { change }: Write): string[] {
  const ids = [...(link ? [link.remoteId] : []), ...(change.operation === 'create' ? [] : [change.remoteId])];
  return [...new Set(ids.map((id) => target.normalise(id)))];
}
