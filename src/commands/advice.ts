import type { Explained } from './show-explained.ts';

/** One sentence for a person: how it stands with an identity on a target, and what to do. */
export function advise(explained: Explained): string {
  const { target, entity, key, target_state, unreadable, desired, link, live, captured, delivery, preview } = explained;
  const { target_mode, deprovisioning } = explained;
  const retry = `staffetta retry ${target} ${entity} ${key}`;
  if (unreadable !== null)
    return 'Correct the view or the mapping (then run "staffetta apply"); nothing is sent or removed meanwhile.';
  if (delivery?.state === 'parked')
    return `Correct what the error names; a change of the row tries again by itself, else run "${retry}".`;
  const undone = preview.some(({ operation }) => operation !== 'nothing');
  if (target_mode === 'observe' && (delivery || undone))
    return 'The target is only observed; this is done when its mode is "live".';
  const waits = delivery?.state === 'waiting';
  if (delivery?.state === 'held' || (waits && delivery.next_attempt === null))
    return `It waits for the word of an administrator: "staffetta approve ${target} ${entity} ${key}", or "staffetta discard …".`;
  if (target_state === 'paused') return `The target is paused; "staffetta resume ${target}" lets it go on.`;
  if (target_state === 'quarantined')
    return `Do what the reason of the target says; if it is about credentials, rights or certificates, see "staffetta ping ${target}", then run "staffetta retry ${target}".`;
  if (target_state === 'waiting')
    return `The target cannot be reached; it is tried again by itself. See "staffetta ping ${target}".`;
  if (waits) return 'It goes on by itself as soon as what it waits for is there; explain that key next.';
  if (delivery && delivery.attempts > 0) return `It is tried again by itself; to try at once: "${retry}".`;
  if (delivery) return 'It is on its way; nothing to do, as long as a daemon runs ("staffetta status").';
  if (captured.length > 0)
    return 'A change that may be its own is captured and not ingested yet; nothing to do, as long as a daemon runs ("staffetta status") and staffetta.failures names no source.';
  if (live?.error === null && (live.differing.length > 0 || (live.remote_id === null) !== (link === null)))
    return `The entry on the target is not as Staffetta left it: "staffetta replay ${entity} ${key}" mends it, and "staffetta reconcile ${target}" says who else differs.`;
  if (undone)
    return `The target is not as it should be and nothing is owed: a change was not captured. Run "staffetta replay ${entity} ${key}", and see whether the table it was made in is a source.`;
  if (deprovisioning?.next_step)
    return `Its identity has left the view; "${deprovisioning.next_step}" follows by itself when its time has come. Put the row back before that, and the entry is as it was.`;
  if (desired === null && link === null)
    return 'It is neither in the view nor on the target; nothing to do. If it should be there, see why the view leaves it out.';
  if (desired?.released && link === null) return 'It does not meet the condition "only" of the mapping; nothing to do.';
  return 'It is as it should be; nothing to do.';
}
