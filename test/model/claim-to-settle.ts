/**
 * Claim to settle (PROTOCOL B1–B8) for one key: two workers, a source that changes (another remote id, delete, insert
 * again), workers that are killed or stopped past their lease at any step. It is wrong if the work is done and the
 * target is not what the source says: an orphan, an entry missing or twice, a delivery parked for no reason.
 *
 * Keys meet nowhere but in the reservations; who waits for whom is not modelled (PROTOCOL C4). A step is what
 * PostgreSQL or the target does at one instant. Time is not counted: the lease of a dead worker ends at some time, that
 * of a living one only if it is stopped. removeAfter is 0, and the target knows entries by their remote ids alone.
 */
import type { Model, Step } from './explore.ts';
import { type Id, say } from './ids.ts';
import type { Omissions } from './omissions.ts';
import { type Delivery, employ, idle, letters, type State } from './state.ts';
import { keyOf } from './state-key.ts';
import { workerSteps } from './worker.ts';

/** How much may happen. */
export interface Bounds {
  /** Changes of the source. */
  readonly changes: number;
  readonly kills: number;
  readonly stops: number;
  /**
   * A worker that was stopped between its look at the clock and the end of its operation, and whose operation thereby
   * outlived its lease, may be killed before it settles: more than the protocol promises.
   */
  readonly killsOvertaken?: boolean;
}

/** The model, from an empty target and from one that holds the row. */
export function claimToSettle(bounds: Bounds, omit: Omissions = {}): Model<State> {
  const { changes, kills, stops } = bounds;
  const empty: State = {
    source: 0,
    changes,
    event: false,
    delivery: undefined,
    link: 0,
    reserved: 0,
    entries: 0,
    workers: [idle, idle],
    kills,
    stops,
  };
  return {
    initial: [empty, { ...empty, source: 1, link: 1, reserved: 1, entries: 1 }],
    steps: (state) => [
      ...sourceSteps(state),
      ...ingestSteps(state),
      ...leaseSteps(state),
      ...workerSteps(state, 0, omit),
      ...workerSteps(state, 1, omit),
      ...faults(state, 0, bounds),
      ...faults(state, 1, bounds),
    ],
    key: keyOf,
    wrong: (state) => wrong(state, omit),
    atRest: (state) => isQuiet(state) && !state.delivery,
    show: ({ source, link, reserved, entries, delivery }) =>
      `source ${say(source)}, target ${say(entries)}, link ${say(link)}, reserved ${say(reserved)}, ${delivery ? `delivery ${shown(delivery)}` : 'no delivery'}`,
  };
}

function shown({ token, lapsed, unsure, parked }: Delivery): string {
  const claim = token === undefined ? [] : [`claimed${token === 'dead' ? ' by the dead' : ''}${lapsed ? ' once' : ''}`];
  return [...(parked ? ['parked'] : ['pending']), ...claim, ...(unsure ? ['unsure'] : [])].join(', ');
}

function isQuiet({ event, workers }: State): boolean {
  return !event && workers.every(({ phase }) => phase.at === 'idle');
}

function wrong(state: State, { reservesNothing }: Omissions): string | undefined {
  const { source, link, reserved, entries, delivery, workers } = state;
  const { token } = delivery ?? {};
  if ((token === 0 || token === 1) && workers[token].phase.at === 'idle')
    return 'the delivery is left claimed by a worker that has settled it';
  if (!isQuiet(state)) return undefined;
  if (delivery) return delivery.parked ? 'the delivery is parked, and nobody but us is to blame' : undefined;
  if (entries !== source) return 'everything is quiet, and the target is not what the source says';
  if (link !== source) return 'everything is quiet, and the link is not what the source says';
  if (reserved !== source && !reservesNothing)
    return 'everything is quiet, and the reserved ids are not those of the entry';
  return undefined;
}

/** The application: a commit changes the view and leaves an event (src/capture/trigger.ts). */
function sourceSteps(state: State): Step<State>[] {
  if (state.changes === 0) return [];
  const to = (source: Id, what: string): Step<State> => ({
    what: `the source ${what}`,
    next: { ...state, source, changes: state.changes - 1, event: true },
  });
  if (state.source === 0) return [to(1, 'inserts the row as a'), to(2, 'inserts the row as b')];
  const other = state.source === 1 ? 2 : 1;
  return [to(0, 'deletes the row'), to(other, `changes ${say(state.source)} to ${say(other)}`)];
}

/** `ingestStatement`: the event becomes a delivery, or `rev + 1` and pending. */
function ingestSteps(state: State): Step<State>[] {
  if (!state.event) return [];
  const { delivery } = state;
  const owed: Delivery = delivery
    ? { ...delivery, moved: delivery.token !== undefined, parked: false }
    : { moved: false, token: undefined, lapsed: false, unsure: false, stray: 0, parked: false };
  return [{ what: `ingest: ${delivery ? 'rev + 1' : 'a delivery'}`, next: { ...state, event: false, delivery: owed } }];
}

/** `lease_until < now()`, for a worker that will not come back. */
function leaseSteps(state: State): Step<State>[] {
  const { delivery } = state;
  if (delivery?.token !== 'dead' || delivery.lapsed) return [];
  return [{ what: 'the lease of the dead worker ends', next: { ...state, delivery: { ...delivery, lapsed: true } } }];
}

function faults(state: State, index: 0 | 1, { killsOvertaken }: Bounds): Step<State>[] {
  const { delivery, kills, stops } = state;
  const { phase, late, overtaken } = state.workers[index];
  if (phase.at === 'idle') return [];
  const held = delivery?.token === index ? delivery : undefined;
  const steps: Step<State>[] = [];
  if (kills > 0 && (killsOvertaken || !overtaken)) {
    // SIGKILL; another begins in its place. Its connections are closed: what has not taken effect never does.
    const next = { ...state, kills: kills - 1, ...(held ? { delivery: { ...held, token: 'dead' as const } } : {}) };
    steps.push({ what: `${letters[index]} is killed`, next: employ(next, index, idle) });
  }
  if (stops > 0 && !late) {
    // SIGSTOP until the lease has run out. The operation in flight may take effect at any time.
    const next = { ...state, stops: stops - 1, ...(held ? { delivery: { ...held, lapsed: true } } : {}) };
    const inFlight = phase.at === 'checked' || (phase.at === 'sent' && phase.answer === 'none');
    const what = `${letters[index]} is stopped until its lease has run out`;
    steps.push({ what, next: employ(next, index, { phase, late: true, overtaken: inFlight }) });
  }
  return steps;
}
