/**
 * What may go out, of what was planned. A target that is observed is sent nothing: what would be done is journaled. One
 * in manual mode is sent what an administrator approved. A live one is sent everything that the guard lets through
 * (PROTOCOL C3). Approval means the delivery as it was then: an event since, and it has to be asked for again.
 */
import type { Queryable } from '../database/transaction.ts';
import type { Planned } from './adopt.ts';
import type { Claim } from './claim.ts';
import type { Loaded } from './load.ts';
import type { Outcome } from './outcome.ts';
import type { Plan, Write } from './plan.ts';
import type { Route } from './route.ts';
import { changedAttributes } from './send.ts';

/** How a target is dealt with. */
export type Mode = 'observe' | 'manual' | 'live';

/** What was permitted. */
export interface Permitted {
  readonly passed: readonly Planned[];
  readonly stopped: readonly Outcome[];
  /** The keys that the guard counted, by kind. */
  readonly counted: ReadonlyMap<Counted, readonly string[]>;
}

/** What the guard counts. */
type Counted = 'removal' | 'clearing';

/** Sorts plans into those that may be carried out and those that are settled without. */
export async function permit(
  database: Queryable,
  route: Route,
  { mode }: Pick<Claim, 'mode'>,
  plans: readonly Planned[],
): Promise<Permitted> {
  if (mode === 'observe') return sort(plans, (item) => (does(item.plan) ? observed(item) : undefined));
  const unapproved = (item: Planned) => !item.loaded.claimed.approved && item.plan.do === 'write';
  if (mode === 'manual')
    return sort(plans, (item) =>
      unapproved(item) ? held(item, 'manual', 'the target is in manual mode: approve it, or discard it') : undefined,
    );
  const kinds = Map.groupBy(plans.filter(unapproved), ({ plan }) => kindOf(plan, route));
  const refusals = new Map<Planned, string>();
  const counted = new Map<Counted, readonly string[]>();
  for (const kind of ['removal', 'clearing'] as const) {
    const asking = kinds.get(kind) ?? [];
    const refusal = asking.length > 0 ? await spend(database, route, kind, asking) : null;
    if (refusal !== null) for (const item of asking) refusals.set(item, refusal);
    else if (asking.length > 0)
      counted.set(
        kind,
        asking.map(({ loaded }) => loaded.claimed.key),
      );
  }
  return sort(
    plans,
    (item) => {
      const refusal = refusals.get(item);
      return refusal === undefined ? undefined : held(item, 'guard', refusal);
    },
    counted,
  );
}

/** Gives back to the guard what it counted and what was not sent after all, or was refused for certain. */
export async function refund(
  database: Queryable,
  { target, entity }: Route,
  { counted }: Permitted,
  outcomes: readonly Outcome[],
): Promise<void> {
  const perhapsDone = new Set(outcomes.flatMap(({ outcome, sent, key }) => (outcome === 'done' || sent ? [key] : [])));
  for (const [kind, keys] of counted) {
    const undone = keys.filter((key) => !perhapsDone.has(key)).length;
    if (undone === 0) continue;
    await database.query('insert into staffetta.guard_spent (target, entity, kind, count) values ($1, $2, $3, $4)', [
      target,
      entity,
      kind,
      -undone,
    ]);
  }
}

function sort(
  plans: readonly Planned[],
  stop: (item: Planned) => Outcome | undefined,
  counted: Permitted['counted'] = new Map(),
): Permitted {
  const passed: Planned[] = [];
  const stopped: Outcome[] = [];
  for (const item of plans) {
    const outcome = stop(item);
    if (outcome) stopped.push(outcome);
    else passed.push(item);
  }
  return { passed, stopped, counted };
}

/** Null where the guard lets them through, and has counted them. */
async function spend(
  database: Queryable,
  route: Route,
  kind: Counted,
  asking: readonly Planned[],
): Promise<string | null> {
  const attributes = new Set(asking.flatMap(({ plan }) => (plan.do === 'write' ? cleared(plan, route) : [])));
  const { rows } = await database.query<{ refusal: string | null }>(
    'select staffetta.spend($1, $2, $3, $4, $5) as refusal',
    [route.target, route.entity, kind, asking.length, [...attributes]],
  );
  const [row] = rows;
  if (!row) throw new Error('the guard did not answer');
  return row.refusal;
}

/** Whether a plan does anything, to the entry or to what is known of it. */
function does(plan: Plan): plan is Extract<Plan, { operation: unknown }> {
  return (plan.do === 'write' || plan.do === 'settle') && plan.operation !== 'none';
}

/** What the guard counts a plan as. */
function kindOf(plan: Plan, route: Route): Counted | 'other' {
  if (plan.do !== 'write') return 'other';
  if (plan.operation === 'remove' || plan.operation === 'disable') return 'removal';
  return cleared(plan, route).length > 0 ? 'clearing' : 'other';
}

/** The attributes that a change leaves without a value, or without any member but the placeholder. */
function cleared({ change }: Write, { mapping: { references } }: Route): string[] {
  if (change.operation !== 'update') return [];
  return change.changes.flatMap(({ attribute, action, values }) => {
    const placeholder = references.get(attribute)?.placeholder;
    const empty =
      placeholder === undefined ? action === 'replace' && values.length === 0 : values.includes(placeholder);
    return empty && action !== 'delete' ? [attribute] : [];
  });
}

function observed({ loaded, plan }: Planned): Outcome {
  const { entity, key, unsure } = loaded.claimed;
  if (unsure) return held({ loaded, plan }, 'observe', 'what is on the target is in doubt until the target is live');
  const { operation, remoteId, changed } = described(loaded, plan);
  return { entity, key, outcome: 'done', journal: { operation, result: 'would', remoteId, changed } };
}

function held({ loaded, plan }: Planned, by: 'guard' | 'manual' | 'observe', reason: string): Outcome {
  const { entity, key } = loaded.claimed;
  const { operation, remoteId, changed } = described(loaded, plan);
  return {
    entity,
    key,
    outcome: 'hold',
    by,
    absent: loaded.desired === undefined,
    planned: [operation, remoteId, changed.length > 0 ? `(${changed.join(', ')})` : null].filter(Boolean).join(' '),
    fingerprint: loaded.desired?.fingerprint ?? null,
    reason,
    journal: { operation, result: 'held', remoteId, changed },
  };
}

function described({ link }: Loaded, plan: Plan) {
  if (plan.do === 'write')
    return { operation: plan.operation, remoteId: plan.change.remoteId, changed: changedAttributes(plan) };
  return {
    operation: plan.do === 'settle' ? plan.operation : ('none' as const),
    remoteId: link?.remoteId ?? null,
    changed: [],
  };
}
