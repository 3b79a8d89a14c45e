/**
 * The bell (PROTOCOL A1, A2): writers that commit events, a drainer that sleeps while nothing happens, no poll. It is
 * wrong if an event waits, the drainer is parked and nothing rings.
 *
 * A step is what PostgreSQL does at one instant: a statement that takes its snapshot, a lock taken, a commit. Writers
 * run transactions of one or more captured statements, which may also roll back; the drainer is src/ingest/drainer.ts.
 */
import type { Model, Step } from './explore.ts';

/** What the model is made without. */
export interface BellOmissions {
  /** A1: the trigger tests the lock before it inserts its events. */
  readonly testsFirst?: boolean;
  /** A2: X is the xmax of a snapshot, not an id of one's own. */
  readonly xmaxAsMark?: boolean;
  /** A2: parks without taking the lock before it looks for older transactions. */
  readonly locksLast?: boolean;
  /** A2: parks at once, without waiting for older transactions. */
  readonly doesNotWait?: boolean;
  /** A2: does not drain once more when the older transactions are over. */
  readonly notOnceMore?: boolean;
  /** Lets go of P before it drains what woke it, and stays parked all the same. */
  readonly letsGo?: boolean;
  /** The older transactions are looked for in a statement of its own, after the drain's; the product does it in the drain's. */
  readonly looksAfterwards?: boolean;
}

interface Writer {
  readonly at: 'before' | 'open' | 'inserted' | 'tested' | 'over';
  /** Its transaction id; 0: it has written nothing yet. */
  readonly xid: number;
  /** Captured statements that it may still run. */
  readonly statements: number;
  /** It has inserted events. */
  readonly wrote: boolean;
  /** Its commit sends a notification. */
  readonly rings: boolean;
}

/** What the drainer does next; parked: it sleeps. */
type At =
  | 'clears'
  | 'drains'
  | 'takes P'
  | 'takes X'
  | 'commits X'
  | 'clears parking'
  | 'drains parking'
  | 'looks'
  | 'clears finally'
  | 'drains finally'
  | 'takes P late'
  | 'parked'
  | 'clears parked'
  | 'drains parked'
  | 'leaves P';

interface State {
  readonly writers: readonly Writer[];
  readonly at: At;
  /** The drainer holds P. */
  readonly parked: boolean;
  /** Its transaction id X, while parking; 0: none. */
  readonly mark: number;
  /** Committed events wait. */
  readonly waiting: boolean;
  /** A notification is on its way. */
  readonly ringing: boolean;
  /** The drainer has been told and has not looked yet. */
  readonly rung: boolean;
  /** The newest transaction id that was given out. */
  readonly newest: number;
  /** The newest of a transaction that is over. */
  readonly completed: number;
}

/** The model of so many writers with so many captured statements each. */
export function bell(writers: number, statements: number, omit: BellOmissions = {}): Model<State> {
  const writer: Writer = { at: 'before', xid: 0, statements, wrote: false, rings: false };
  return {
    initial: [
      {
        writers: Array.from({ length: writers }, () => writer),
        at: 'clears',
        parked: false,
        mark: 0,
        waiting: false,
        ringing: false,
        rung: false,
        newest: 1,
        completed: 1,
      },
    ],
    steps: (state) => [
      ...state.writers.flatMap((_, index) => writerSteps(state, index, omit)),
      ...(state.ringing ? [{ what: 'the notification arrives', next: { ...state, ringing: false, rung: true } }] : []),
      ...drainerSteps(state, omit),
    ],
    key,
    wrong: ({ at, waiting, ringing, rung }) =>
      at === 'parked' && waiting && !ringing && !rung
        ? 'an event waits, the drainer is parked, nothing rings'
        : undefined,
    atRest: ({ at, waiting, ringing, rung, writers }) =>
      at === 'parked' && !waiting && !ringing && !rung && writers.every(({ at }) => at === 'over'),
    show: ({ at, waiting, parked, writers }) =>
      `the drainer ${at}${parked ? ', holding P' : ''}; ${waiting ? 'events wait' : 'no event waits'}; ${writers.filter(({ at }) => at !== 'before' && at !== 'over').length} transactions open`,
  };
}

/** Writers are equal, so their order does not count; ids count only by what is between them. */
function key({ writers, at, parked, mark, waiting, ringing, rung, newest, completed }: State): string {
  const given = writers.flatMap(({ xid }) => (xid > 0 ? [xid] : []));
  const base = Math.min(completed, ...given, ...(mark > 0 ? [mark] : [])) - 1;
  const shift = (xid: number) => (xid === 0 ? 0 : xid - base);
  const each = writers.map((writer) =>
    [writer.at, shift(writer.xid), writer.statements, Number(writer.wrote), Number(writer.rings)].join(' '),
  );
  const flags = [parked, waiting, ringing, rung].map(Number).join('');
  return [...each.sort(), at, flags, shift(mark), shift(newest), shift(completed)].join('|');
}

function writerSteps(state: State, index: number, { testsFirst }: BellOmissions): Step<State>[] {
  const writer = state.writers[index];
  if (!writer) return [];
  const name = `writer ${index + 1}`;
  const step = (what: string, change: Partial<Writer>, rest: Partial<State> = {}): Step<State> => {
    const writers = state.writers.with(index, { ...writer, ...change });
    return { what: `${name} ${what}`, next: { ...state, ...rest, writers } };
  };
  const given = writer.xid || state.newest + 1;
  const newest = Math.max(state.newest, given);
  const ended = { at: 'over', xid: 0, statements: 0, wrote: false, rings: false } as const;
  const completed = Math.max(state.completed, writer.xid);
  // src/capture/trigger.ts: `if not (pg_try_advisory_lock_shared(P) and pg_advisory_unlock_shared(P)) then notify`
  const rings = writer.rings || state.parked;
  const tests = state.parked ? 'tests the lock, which is held: notifies' : 'tests the lock, which is free';
  switch (writer.at) {
    case 'before':
      return [step('begins', { at: 'open' })];
    case 'open': {
      const steps = [step('rolls back', ended, { completed })];
      if (writer.wrote) {
        // Events and notification become visible at one instant, that of the commit.
        const rest = { completed, waiting: true, ringing: state.ringing || writer.rings };
        steps.push(step(writer.rings ? 'commits, and so rings' : 'commits', ended, rest));
      }
      if (writer.statements > 0) {
        const statements = writer.statements - 1;
        if (testsFirst) steps.push(step(tests, { at: 'tested', statements, rings }));
        // `insert into staffetta.event …` gives the transaction its id, unless it has one.
        else
          steps.push(
            step(
              `inserts events as transaction ${given}`,
              { at: 'inserted', statements, xid: given, wrote: true },
              { newest },
            ),
          );
      }
      // The application's own write, which is not captured or has not fired its trigger yet.
      if (writer.xid === 0) steps.push(step(`writes as transaction ${given}`, { xid: given }, { newest }));
      return steps;
    }
    case 'inserted':
      return [step(tests, { at: 'open', rings })];
    case 'tested':
      return [step(`inserts events as transaction ${given}`, { at: 'open', xid: given, wrote: true }, { newest })];
    case 'over':
      return [];
  }
}

/** `pg_snapshot_xmax`: the first id after those that are over, although later ones may be running. */
function xmax({ completed }: State): number {
  return completed + 1;
}

/** `pg_snapshot_xmin`: the oldest that runs, of those before xmax. */
function xmin(state: State): number {
  const running = state.writers.flatMap(({ xid }) => (xid > 0 ? [xid] : []));
  return Math.min(xmax(state), ...running);
}

function drainerSteps(state: State, omit: BellOmissions): Step<State>[] {
  const step = (what: string, next: Partial<State>): Step<State>[] => [
    { what: `the drainer ${what}`, next: { ...state, ...next } },
  ];
  // `#drain` forgets the bell (`#rung = false`) and then runs `ingestStatement`, whose snapshot is taken later.
  const clear = (at: At) => step('forgets the bell', { at, rung: false });
  const drained = { waiting: false };
  const found = state.waiting ? 'drains, and finds events' : 'drains, and finds nothing';
  const over = omit.doesNotWait || xmin(state) >= state.mark;
  const asleep: At = omit.locksLast ? 'takes P late' : 'parked';
  const rest: At = omit.notOnceMore ? asleep : 'clears finally';
  const older = omit.doesNotWait
    ? 'does not look for older transactions'
    : over
      ? 'sees that older transactions are over'
      : 'sees older transactions';
  switch (state.at) {
    case 'clears': // `#live`: awake
      return clear('drains');
    case 'drains': // `#drain`, until a batch is not full
      return step(found, { ...drained, at: omit.locksLast ? 'takes X' : 'takes P' });
    case 'takes P': // `#park`: `select pg_advisory_lock(P)`
      return step('takes P', { at: 'takes X', parked: true });
    case 'takes X': // `#park`: `select pg_current_xact_id()`
      if (omit.xmaxAsMark) return step(`notes X = xmax = ${xmax(state)}`, { at: 'clears parking', mark: xmax(state) });
      return step(`notes X = its own id ${state.newest + 1}`, {
        at: 'commits X',
        mark: state.newest + 1,
        newest: state.newest + 1,
      });
    case 'commits X': // `#park`: `commit`
      return step('commits', { at: 'clears parking', completed: Math.max(state.completed, state.mark) });
    case 'clears parking': // `#settleDown`
      return clear('drains parking');
    case 'drains parking': // `#settleDown`: events and `pg_snapshot_xmin(pg_current_snapshot())` of one snapshot
      return [
        ...(state.waiting ? step(`${found}, and wakes`, { ...drained, at: 'leaves P' }) : []),
        ...(omit.looksAfterwards
          ? step(found, { ...drained, at: 'looks' })
          : step(`${found}, ${older}`, { ...drained, at: over ? rest : 'clears parking' })),
      ];
    case 'looks':
      return step(older, { at: over ? rest : 'clears parking' });
    case 'clears finally': // `#settleDown`: once more
      return clear('drains finally');
    case 'drains finally':
      return [
        ...(state.waiting ? step(`${found}, and wakes`, { ...drained, at: 'leaves P' }) : []),
        ...step(`${found} once more`, { ...drained, at: asleep }),
      ];
    case 'takes P late':
      return step('takes P', { at: 'parked', parked: true });
    case 'parked': // `#sleep`
      return state.rung ? step('wakes', { at: 'clears parked' }) : [];
    case 'clears parked':
      return step('forgets the bell', { at: 'drains parked', rung: false, parked: !omit.letsGo });
    case 'drains parked': // without letting go of P; it does where that was much, or the bell rang meanwhile
      return [
        ...(state.rung ? [] : step(`${found}, and stays parked`, { ...drained, at: 'parked' })),
        ...step(`${found}, and wakes`, { ...drained, at: 'leaves P' }),
      ];
    case 'leaves P': // `select pg_advisory_unlock(P)`
      return step('leaves P', { at: 'clears', parked: false, mark: 0 });
  }
}
