/**
 * Before anything is sent under a remote id, the id is ours (PROTOCOL B6), and so is a value of a unique attribute before
 * an entry has it. Whoever does not get one gives way.
 */
import type { Queryable } from '../database/transaction.ts';
import { TargetError } from '../targets/target.ts';
import type { Planned } from './adopt.ts';
import { giveWay } from './give-way.ts';
import type { Loaded } from './load.ts';
import type { Outcome } from './outcome.ts';
import type { Context, Plan, Write } from './plan.ts';
import { type Reservation, reserve, type Wish } from './reserve.ts';
import { reserveValues } from './reserve-values.ts';
import type { Route } from './route.ts';
import { wishedValues } from './unique.ts';

/** A change that may go out. */
export interface Ready {
  readonly loaded: Loaded;
  readonly write: Write;
}

/** What became of plans. */
interface Secured {
  readonly ready: readonly Ready[];
  /** What may be carried out and sends nothing. */
  readonly silent: readonly { readonly loaded: Loaded; readonly plan: Exclude<Plan, Write> }[];
  readonly settled: readonly Outcome[];
}

interface Claim {
  readonly token: string;
}

/** Sorts plans into those that may be carried out and those that are settled without. Keys whose claim is gone are in none. */
export async function secure(
  database: Queryable,
  route: Route,
  claim: Claim,
  context: Context,
  plans: readonly Planned[],
): Promise<Secured> {
  const settled: Outcome[] = [];
  const wishes = new Map<Planned, Wish[]>();
  for (const item of plans) {
    const found = wishesOf(item, context);
    if (Array.isArray(found)) wishes.set(item, found);
    else settled.push(found);
  }
  const answers = await ask(database, route, claim, wishes);
  const ready: Ready[] = [];
  const silent: Secured['silent'][number][] = [];
  for (const item of wishes.keys()) {
    const { loaded, plan } = item;
    const given = answers.get(loaded.claimed.key) ?? [];
    if (given.some(({ fenced }) => fenced)) continue;
    const lost = given.find((answer) => !isOurs(answer, route));
    if (!lost) {
      if (plan.do === 'write') ready.push({ loaded, write: plan });
      else silent.push({ loaded, plan });
      continue;
    }
    const next = await giveWay(database, route, context, item, lost, given);
    if ('outcome' in next) settled.push(next);
    else if (await isSecured(database, route, claim, context, next.aside)) ready.push(next.aside);
    else settled.push(next.otherwise);
  }
  return { ready, silent, settled };
}

function isOurs({ fenced, holder, key }: Reservation, { entity }: Route): boolean {
  return !fenced && holder?.entity === entity && holder.key === key;
}

/** Whether everything that a change needs could be had. */
async function isSecured(
  database: Queryable,
  route: Route,
  claim: Claim,
  context: Context,
  { loaded, write }: Ready,
): Promise<boolean> {
  const item: Planned = { loaded, plan: write };
  const wishes = wishesOf(item, context);
  if (!Array.isArray(wishes)) return false;
  const answers = await ask(database, route, claim, new Map([[item, wishes]]));
  return [...answers.values()].flat().every((answer) => isOurs(answer, route));
}

/** The remote ids that a plan writes under: none if it sends nothing, or if the entry stays where it is. */
function wishesOf({ loaded, plan }: Planned, { target }: Context): Wish[] | Outcome {
  if (plan.do !== 'write') return [];
  const { key, entity } = loaded.claimed;
  const { change, operation, link } = plan;
  const disable = loaded.link || link === undefined || link === 'leave' ? null : link.disable;
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
      disable,
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

/** Reserves what plans need, remote ids first; the answers by key. */
async function ask(
  database: Queryable,
  route: Route,
  { token }: Claim,
  wishes: ReadonlyMap<Planned, readonly Wish[]>,
): Promise<Map<string, Reservation[]>> {
  const as = { target: route.target, entity: route.entity, token };
  const values = [...wishes.keys()].flatMap((item) => wishedValues(item, route.mapping.unique));
  const answers = [
    ...(await reserve(database, { ...as, wishes: [...wishes.values()].flat() })),
    ...(await reserveValues(database, { ...as, wishes: values })),
  ];
  return Map.groupBy(answers, ({ key }) => key);
}
