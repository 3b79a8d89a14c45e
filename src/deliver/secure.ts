/**
 * Before anything is sent under a remote id, the id is ours (PROTOCOL B6). Whoever does not get it waits for its
 * holder if that may still let go, steps aside if a swap hangs on it (C4), or is parked, naming the holder.
 */
import type { Queryable } from '../database/transaction.ts';
import { TargetError } from '../targets/target.ts';
import { planStepAside } from './aside.ts';
import type { Loaded } from './load.ts';
import type { Outcome } from './outcome.ts';
import type { Context, Write } from './plan.ts';
import { type Reservation, reserve, type Wish } from './reserve.ts';
import type { Route } from './route.ts';
import { waitPause } from './send.ts';
import { breaksCircle, isMoving, type Wait } from './wait.ts';

/** A change that may go out. */
export interface Ready {
  readonly loaded: Loaded;
  readonly write: Write;
}

interface Claim {
  readonly token: string;
}

/** Sorts writes into those that may go out and those that are settled without. Keys whose claim is gone are in neither. */
export async function secure(
  database: Queryable,
  route: Route,
  claim: Claim,
  context: Context,
  writes: readonly Ready[],
): Promise<{ ready: Ready[]; settled: Outcome[] }> {
  const settled: Outcome[] = [];
  const wishes = new Map<Ready, Wish[]>();
  for (const item of writes) {
    const found = wishesOf(item, context);
    if (Array.isArray(found)) wishes.set(item, found);
    else settled.push(found);
  }
  const answers = await ask(database, route, claim, [...wishes.values()].flat());
  const ready: Ready[] = [];
  for (const [item, wished] of wishes) {
    const given = wished.map(({ normalised }) => answers.get(`${item.loaded.claimed.key}\0${normalised}`));
    if (given.some((reservation) => reservation?.fenced)) continue;
    const lost = given.find((reservation) => reservation && !holds(reservation, route, item));
    if (!lost) ready.push(item);
    else {
      const next = await giveWay(database, route, claim, context, item, lost);
      if ('outcome' in next) settled.push(next);
      else ready.push(next);
    }
  }
  return { ready, settled };
}

function holds({ holder }: Reservation, route: Route, { loaded }: Ready): boolean {
  return holder?.entity === route.entity && holder.key === loaded.claimed.key;
}

/** The remote ids that a change writes under: none for a change that stays where it is. */
function wishesOf({ loaded, write }: Ready, { target }: Context): Wish[] | Outcome {
  const { key, entity } = loaded.claimed;
  const { change, operation } = write;
  const ids =
    change.operation === 'create'
      ? [change.remoteId]
      : change.operation === 'update'
        ? [
            ...(operation === 'adopt' ? [change.remoteId] : []),
            ...(change.renameTo === undefined ? [] : [change.renameTo]),
          ]
        : [];
  try {
    return [...new Set(ids.map((id) => target.normalise(id)))].map((normalised) => ({
      key,
      normalised: fitting(normalised),
    }));
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return {
      entity,
      key,
      outcome: 'park',
      error: { kind: error.kind, message: error.message },
      journal: { operation, result: 'parked', remoteId: change.remoteId },
    };
  }
}

/** What an index of PostgreSQL takes, in bytes, with room for the name of the target. */
const longestId = 2000;

function fitting(normalised: string): string {
  const bytes = Buffer.byteLength(normalised);
  if (bytes <= longestId) return normalised;
  throw new TargetError('rejected', `its remote id has ${bytes} bytes; expected at most ${longestId}`);
}

async function ask(
  database: Queryable,
  route: Route,
  { token }: Claim,
  wishes: Wish[],
): Promise<Map<string, Reservation>> {
  const answers = await reserve(database, { target: route.target, entity: route.entity, token, wishes });
  return new Map(answers.map((answer) => [`${answer.key}\0${answer.normalised}`, answer]));
}

async function giveWay(
  database: Queryable,
  route: Route,
  claim: Claim,
  context: Context,
  { loaded, write: intended }: Ready,
  { holder, normalised }: Reservation,
): Promise<Outcome | Ready> {
  const { entity, key } = loaded.claimed;
  if (!holder) return { entity, key, outcome: 'again', dueIn: 0.1 };
  const wait = { ...holder, id: normalised };
  const { link } = loaded;
  const circle = await breaksCircle(database, route.target, { entity, key }, holder);
  const write = circle ? planStepAside(intended, link, key, wait, context) : undefined;
  if (write) {
    const aside = { loaded, write };
    const wishes = wishesOf(aside, context);
    const answers = Array.isArray(wishes) ? [...(await ask(database, route, claim, wishes)).values()] : [];
    if (answers.length > 0 && answers.every((answer) => !answer.fenced && holds(answer, route, aside))) return aside;
  }
  const moving = await isMoving(database, route.target, holder);
  return { ...blocked(loaded, intended, wait, moving), ...standing(loaded, intended, context) };
}

/**
 * What a key that cannot move holds on to: the remote id under which its entry stands, which the link says from now on.
 * Others, wished for by attempts that are over, would keep those waiting for whom it waits itself.
 */
function standing(
  { claimed, link }: Loaded,
  { change }: Write,
  { target }: Context,
): Pick<Outcome, 'reserved' | 'link'> {
  if (claimed.unsure && !target.read) return {};
  if (change.operation === 'create') return { reserved: [], link: null };
  const { remoteId } = change;
  const moved = link && link.remoteId !== remoteId ? { link: { ...link, remoteId, fingerprint: null } } : {};
  return { reserved: [target.normalise(remoteId)], ...moved };
}

function blocked({ claimed, desired }: Loaded, { operation }: Write, wait: Wait, moving: boolean): Outcome {
  const { entity, key } = claimed;
  const taken = `${wait.id} is the remote id of ${wait.entity} ${wait.key}`;
  return moving
    ? {
        entity,
        key,
        outcome: 'wait',
        dueIn: waitPause,
        waitFor: wait,
        disable: desired?.disable ?? null,
        error: { kind: 'dependency', message: `${taken}, which is about to change; waiting for it` },
      }
    : {
        entity,
        key,
        outcome: 'park',
        waitFor: wait,
        error: { kind: 'exists', message: `${taken}, which keeps it; give one of the two another` },
        journal: { operation, result: 'parked', remoteId: wait.id },
      };
}
