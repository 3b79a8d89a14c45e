/**
 * What becomes of a key that did not get what it needs, because another has it: it waits for its holder if that may still
 * let go, steps aside if a swap hangs on it (PROTOCOL C4), or is parked, naming both. Until then nothing is sent for it.
 */
import type { Queryable } from '../database/transaction.ts';
import type { Planned } from './adopt.ts';
import { planStepAside } from './aside.ts';
import type { Outcome } from './outcome.ts';
import type { Context, Write } from './plan.ts';
import type { Reservation } from './reserve.ts';
import type { ValueReservation } from './reserve-values.ts';
import type { Route } from './route.ts';
import type { Ready } from './secure.ts';
import { waitPause } from './send.ts';
import { nameValue, uniqueIn } from './unique.ts';
import { isMoving, type Reserved, type Wait, wantedInCircle } from './wait.ts';

/** What a key does that stands in the way of a circle, if it can be had; else it is settled otherwise. */
interface Aside {
  readonly aside: Ready;
  readonly otherwise: Outcome;
}

/** `lost`: what it did not get; `given`: all that it asked for. */
export async function giveWay(
  database: Queryable,
  { target }: Route,
  context: Context,
  item: Planned,
  lost: Reservation | ValueReservation,
  given: readonly Reservation[],
): Promise<Outcome | Aside> {
  const { loaded, plan } = item;
  const { entity, key } = loaded.claimed;
  const { holder, attribute, normalised } = lost;
  if (!holder) return { entity, key, outcome: 'again', dueIn: 0.1 };
  const wait: Wait = { ...holder, attribute, id: normalised };
  const wanted = await wantedInCircle(database, target, { entity, key }, holder);
  const write =
    wanted && plan.do === 'write' && letsGo(plan, wanted, given, context)
      ? planStepAside(plan, item, wait, context)
      : undefined;
  // Nobody but this key could break the circle, and it will not: waiting would be for ever.
  const keeps = wanted !== undefined && write === undefined;
  const moving = !keeps && (await isMoving(database, target, holder));
  const outcome = {
    ...blocked(item, lost, keeps ? { ...wait, keeps } : wait, moving),
    ...standing(item, context),
  };
  return write ? { aside: { loaded, write }, otherwise: outcome } : outcome;
}

/** Whether a plan lets go of what others wait for. */
function letsGo(
  { change }: Write,
  { attribute, id }: Reserved,
  given: readonly Reservation[],
  { target }: Context,
): boolean {
  if (attribute !== '') return !given.some((own) => own.attribute === attribute && own.normalised === id);
  if (change.operation !== 'update' || change.renameTo === undefined) return false;
  return target.normalise(change.renameTo) !== id;
}

/**
 * What a key that cannot move holds on to: the remote id under which its entry stands, which the link says from now on, and
 * the unique values that the entry has. Others, wished for by attempts that are over, would keep those waiting for whom it
 * waits itself.
 */
function standing(
  { loaded: { claimed, link }, plan, live }: Planned,
  context: Context,
): Pick<Outcome, 'reserved' | 'stands' | 'link'> {
  const { target } = context;
  if (claimed.unsure && !target.read) return {};
  const there = uniqueIn(live, context);
  const stands = there ? { stands: there } : {};
  if (plan.do !== 'write') return { reserved: link ? [target.normalise(link.remoteId)] : [], ...stands };
  const { change } = plan;
  if (change.operation === 'create') return { reserved: [], link: null };
  const { remoteId } = change;
  const moved = link && link.remoteId !== remoteId ? { link: { ...link, remoteId, fingerprint: null } } : {};
  return { reserved: [target.normalise(remoteId)], ...stands, ...moved };
}

function blocked(
  { loaded: { claimed, desired, link }, plan }: Planned,
  lost: Reservation | ValueReservation,
  wait: Wait,
  moving: boolean,
): Outcome {
  const { entity, key } = claimed;
  const holder = `${wait.entity} ${wait.key}`;
  const taken =
    'value' in lost
      ? `${entity} ${key} should have ${nameValue(wait.attribute, lost.value)}, which is unique and that of ${holder}`
      : `${wait.id} is the remote id of ${holder}`;
  if (moving)
    return {
      entity,
      key,
      outcome: 'wait',
      dueIn: waitPause,
      waitFor: wait,
      disable: desired?.disable ?? null,
      error: { kind: 'dependency', message: `${taken}, which is about to change; waiting for it` },
    };
  const operation = plan.do === 'write' || plan.do === 'settle' ? plan.operation : 'none';
  const remoteId = 'value' in lost ? (link?.remoteId ?? null) : wait.id;
  return {
    entity,
    key,
    outcome: 'park',
    waitFor: wait,
    error: { kind: 'exists', message: `${taken}, which keeps it; give one of the two another` },
    journal: { operation, result: 'parked', remoteId },
  };
}
