import { common, type Ids, union } from './ids.ts';
import type { Omissions } from './omissions.ts';
import type { Delivery, Result, State } from './state.ts';

/** On what a settle decides. */
interface Decision {
  /** The row carries our token. */
  readonly mine: boolean;
  /** It has not moved since the claim: it may be deleted. */
  readonly gone: boolean;
  /** It has moved. */
  readonly freed: boolean;
}

/** The statement of src/deliver/settle.ts: what it leaves of delivery, link and reservations. */
export function recorded(
  { delivery, link, reserved }: State,
  result: Result,
  { mine, gone, freed }: Decision,
  omit: Omissions,
): { delivery: Delivery | undefined; link: State['link']; reserved: Ids } {
  if (!mine || !delivery) return { delivery: lost(delivery, result, omit), link, reserved };
  // `linked`, `unlinked` and `unreserved`
  const facts = { link: result.link ?? link, reserved: common(reserved, result.reserved ?? 3) };
  const paid = result.outcome === 'done';
  if (paid && gone) return { delivery: undefined, ...facts };
  if (paid && !freed) return { delivery, ...facts };
  const unsure = result.unsure || (delivery.unsure && !omit.clearsUnsure);
  const parked = result.outcome === 'park' && !freed;
  return { delivery: { ...delivery, token: undefined, moved: false, lapsed: false, unsure, parked }, ...facts };
}

/** `lost`: the token is gone, and something may have been written. */
function lost(delivery: Delivery | undefined, { sent }: Result, { forgetsLate }: Omissions): Delivery | undefined {
  if (sent === 0 || forgetsLate) return delivery;
  if (!delivery) return { moved: false, token: undefined, lapsed: false, unsure: true, stray: sent, parked: false };
  const stray = union(delivery.stray, sent);
  return { ...delivery, moved: delivery.token !== undefined, unsure: true, stray, parked: false };
}
