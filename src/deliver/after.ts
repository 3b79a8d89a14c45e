/**
 * Order across targets (PROTOCOL F2). An entry is made, or revived, on a target only when the targets that it comes
 * `after` have the key; an entry that stands already is brought up to date whatever they do. Removals run in reverse: an
 * entry is taken away when the targets that come after this one are rid of theirs.
 *
 * Whoever waits is made due by the delivery that it waits for (`wakeNeighbours`); should that one have died before it
 * could, after a while. What waits for a parked key is parked itself, saying so, until that one is settled.
 */
import pg from 'pg';
import { isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Planned } from './adopt.ts';
import type { Claim } from './claim.ts';
import { isolate } from './isolate.ts';
import type { Outcome } from './outcome.ts';
import type { Neighbour, Route } from './route.ts';

const { escapeIdentifier, escapeLiteral } = pg;

/** Seconds after which a waiting delivery looks again, should nobody have told it to. */
const pause = 300;

/** How a key stands on another target. */
interface Standing {
  readonly key: string;
  readonly target: string;
  /** It is in the view there and meets `only`; null: that cannot be read. */
  readonly desired: boolean | null;
  readonly link: 'active' | 'disabled' | 'kept' | null;
  /** Of its delivery there; null: nothing is owed. */
  readonly delivery: 'pending' | 'waiting' | 'held' | 'parked' | null;
  readonly error: string | null;
  /** What is done next to the entry there, as far as its identity has left the view, and in how many seconds. */
  readonly nextStep: string | null;
  readonly nextIn: number | null;
  /** Why nothing is sent there at present. */
  readonly stopped: string | null;
}

/** What a plan asks of the neighbours: that they have the key, or are rid of it. */
type Asks = 'arrival' | 'departure' | 'removal' | undefined;

/** What may go out by the order of targets, and what waits. */
interface Ordered {
  readonly passed: readonly Planned[];
  readonly stopped: readonly Outcome[];
  /** The plans of those that wait, and go on by themselves. */
  readonly waiting: readonly Planned[];
}

/** Sorts plans by whether their turn has come. Asks nothing where the configuration has no `after`. */
export async function inOrder(
  database: Queryable,
  route: Route,
  { mode }: Pick<Claim, 'mode'>,
  plans: readonly Planned[],
): Promise<Ordered> {
  if (mode === 'observe' || route.before.length + route.behind.length === 0)
    return { passed: plans, stopped: [], waiting: [] };
  // What a manual target has no word for is not sent whoever has the key.
  const asking = plans.filter(
    (item) => neighboursOf(route, asks(item)).length > 0 && (mode === 'live' || item.loaded.claimed.approved),
  );
  const standings = await readNeighbours(
    database,
    route,
    asking.map(({ loaded }) => loaded.claimed.key),
  );
  const obstacles = new Map(
    asking.flatMap((item) => {
      const what = asks(item);
      const names = new Set(neighboursOf(route, what).map(({ target }) => target));
      const own = (standings.get(item.loaded.claimed.key) ?? []).filter(({ target }) => names.has(target));
      const found = own.flatMap((standing) => obstacle(route.entity, standing, what) ?? []);
      const [first] = found.toSorted((left, right) => Number(right.fails) - Number(left.fails));
      return first ? [[item, first] as const] : [];
    }),
  );
  return {
    passed: plans.filter((item) => !obstacles.has(item)),
    stopped: [...obstacles].map(([item, found]) => stop(item, found)),
    waiting: [...obstacles].flatMap(([item, { fails }]) => (fails ? [] : [item])),
  };
}

function asks({ loaded: { desired, link }, plan }: Planned): Asks {
  if (plan.do !== 'write') return undefined;
  if (desired && !desired.released)
    return plan.operation !== 'remove' && link?.state !== 'active' ? 'arrival' : undefined;
  if (plan.operation === 'disable') return 'departure';
  return plan.operation === 'remove' ? 'removal' : undefined;
}

function neighboursOf({ before, behind }: Route, what: Asks): readonly Neighbour[] {
  if (what === undefined) return [];
  return what === 'arrival' ? before : behind;
}

/** Why a plan has to wait for a neighbour. */
interface Obstacle {
  readonly target: string;
  readonly reason: string;
  /** It does not go on by itself. */
  readonly fails: boolean;
  readonly dueIn: number;
}

function obstacle(entity: string, standing: Standing, what: Asks): Obstacle | undefined {
  const { key, target, delivery, error, stopped, nextIn } = standing;
  if (!(what === 'arrival' ? isMissing(standing) : isStanding(standing, what))) return undefined;
  const who = `${entity} ${key}`;
  if (delivery === 'parked')
    return {
      target,
      reason: `${who} is parked on target ${target}: ${error ?? 'for an unknown reason'}`,
      fails: true,
      dueIn: 0,
    };
  const place =
    what === 'arrival'
      ? standing.desired === false
        ? `${who} is about to leave target ${target}, which comes first`
        : `${who} is not on target ${target} yet, which comes first`
      : `${who} is still on target ${target}, which comes after this one`;
  const why =
    stopped ??
    (standing.desired === null
      ? 'its desired state there cannot be read'
      : delivery === 'held' || error !== null
        ? `there: ${error ?? 'held by the guard'}`
        : undefined);
  return {
    target,
    reason: why === undefined ? place : `${place} (${why})`,
    fails: false,
    dueIn: delivery === null && nextIn !== null ? Math.max(nextIn, pause) : pause,
  };
}

/** An entry that comes first is still to be made, or to go. */
function isMissing({ desired, link, delivery }: Standing): boolean {
  return desired === false ? delivery !== null : link !== 'active';
}

/**
 * An entry that goes first is still there, and is going to go. To remove ours, it must be gone; to disable ours, disabled.
 * An entry that stays there for good is no reason to keep ours.
 */
function isStanding({ desired, link, delivery, nextStep }: Standing, what: Asks): boolean {
  if (desired === true) return false;
  if (link === null) return delivery !== null && delivery !== 'parked';
  if (delivery !== null) return what === 'removal' || link === 'active';
  return nextStep !== null && (what === 'removal' || link === 'active');
}

function stop({ loaded, plan }: Planned, { target, reason, fails, dueIn }: Obstacle): Outcome {
  const { entity, key } = loaded.claimed;
  const told = { entity, key, behind: target, error: { kind: 'dependency' as const, message: reason } };
  if (!fails) return { ...told, outcome: 'wait', dueIn, absent: loaded.desired === undefined };
  const operation = plan.do === 'write' ? plan.operation : 'none';
  const journal = { operation, result: 'parked' as const, remoteId: loaded.link?.remoteId ?? null };
  return { ...told, outcome: 'park', journal };
}

/**
 * How keys stand on one neighbour, each looked up by itself (PROTOCOL B3). An aggregate, since EXISTS could be planned as
 * one pass over the whole view.
 */
function statement({ target, keyType }: Neighbour, entity: string, readable: boolean): string {
  const view = `staffetta.${escapeIdentifier(`desired_${target}_${entity}`)}`;
  const desired = readable
    ? `coalesce((select bool_or(not x.released) from ${view} x where x.key = k.key::${keyType}), false)`
    : 'null::boolean';
  return `
select k.key, t.target, ${desired} as desired, l.state as link, d.state as delivery, d.error, n.step as "nextStep",
  extract(epoch from l.absent_since + n.after - clock_timestamp())::float8 as "nextIn",
  case when t.mode = 'observe' then 'that target is only observed'
    when t.state <> 'active' then concat_ws(': ', 'that target is ' || t.state, t.reason) end as stopped
from unnest($1::text[]) k(key)
join staffetta.target t on t.target = ${escapeLiteral(target)}
join staffetta.route r on r.target = t.target and r.entity = $2
left join lateral (select * from staffetta.link o where (o.target, o.entity, o.key) = (t.target, $2, k.key collate "C") offset 0) l on true
left join lateral (select * from staffetta.delivery o where (o.target, o.entity, o.key) = (t.target, $2, k.key collate "C") offset 0) d on true
left join lateral staffetta.next_step(case when l.spared then '[]' else r.deprovision end, l.state) n on l.key is not null`;
}

/** How keys stand on every neighbour of a route, one query for each of those. */
async function readNeighbours(
  database: Queryable,
  { entity, before, behind }: Route,
  keys: readonly string[],
): Promise<Map<string, Standing[]>> {
  const found: Standing[] = [];
  if (keys.length === 0) return new Map();
  for (const neighbour of [...before, ...behind])
    found.push(...(await readNeighbour(database, entity, neighbour, keys)));
  return Map.groupBy(found, ({ key }) => key);
}

/** What cannot be read there is not known to be absent: it is waited for. */
async function readNeighbour(
  database: Queryable,
  entity: string,
  neighbour: Neighbour,
  keys: readonly string[],
): Promise<Standing[]> {
  const read = async (some: readonly string[], readable: boolean) =>
    (await database.query<Standing>(statement(neighbour, entity, readable), [some, entity])).rows;
  try {
    const { results, failures } = await isolate(keys, (some) => read(some, true));
    const unreadable = failures.map(({ item }) => item);
    return [...results.flat(), ...(unreadable.length > 0 ? await read(unreadable, false) : [])];
  } catch (error) {
    if (!isSchemaError(error)) throw error;
    return await read(keys, false);
  }
}

/** Deliveries on some targets ($1) that wait for others ($4), locked in order (PROTOCOL B9), are due now. */
const makeDue = `
with waiting as materialized (
  select d.target, d.entity, d.key from staffetta.delivery d
  where d.target = any ($1::text[]) and d.entity = $2 and d.key = any ($3::text[]) and d.wait_target = any ($4::text[])
    and d.state in ('waiting', 'parked')
  order by d.target, d.entity, d.key for update)
update staffetta.delivery d set due_at = clock_timestamp(), state = 'pending', wait_target = null
from waiting w where (d.target, d.entity, d.key) = (w.target, w.entity, w.key)`;

/**
 * After a batch is settled: whoever waited on another target for one of its keys looks again, and so does whoever of the
 * batch would not wait any longer, or for another target, because that was settled while it was about to. Answers with
 * their number.
 */
export async function wakeNeighbours(
  database: Queryable,
  route: Route,
  claim: Pick<Claim, 'mode'>,
  waiting: readonly Planned[],
  outcomes: readonly Outcome[],
): Promise<number> {
  const neighbours = [...new Set([...route.before, ...route.behind].map(({ target }) => target))];
  if (neighbours.length === 0) return 0;
  const wake = async (targets: readonly string[], keys: readonly string[], waitFor: readonly string[]) =>
    keys.length === 0 ? 0 : ((await database.query(makeDue, [targets, route.entity, keys, waitFor])).rowCount ?? 0);
  const settled = outcomes.filter(({ outcome }) => ['done', 'park', 'hold'].includes(outcome)).map(({ key }) => key);
  const { passed, stopped } = await inOrder(database, route, claim, waiting);
  const behind = new Map(outcomes.map((outcome) => [outcome.key, outcome.behind]));
  const changed = [
    ...passed.map(({ loaded }) => loaded.claimed.key),
    ...stopped.filter((now) => now.outcome === 'park' || now.behind !== behind.get(now.key)).map(({ key }) => key),
  ];
  return (await wake(neighbours, settled, [route.target])) + (await wake([route.target], changed, neighbours));
}
