/**
 * One worker: claim ► load ► look ► plan ► secure ► send ► settle. Each step is one statement of the product, or one
 * thing that happens on the target; the comment says which.
 */
import type { Step } from './explore.ts';
import { type Ids, say, union } from './ids.ts';
import type { Omissions } from './omissions.ts';
import { looks, performed, planned, resultOf, timedOut, wishes } from './replay.ts';
import { recorded } from './settled.ts';
import { type Delivery, employ, idle, letters, type Operation, type Phase, type Result, type State } from './state.ts';

function isClaimable(delivery: Delivery | undefined): delivery is Delivery {
  return delivery !== undefined && !delivery.parked && (delivery.token === undefined || delivery.lapsed);
}

/** What a worker can do next. */
export function workerSteps(state: State, index: 0 | 1, omit: Omissions): Step<State>[] {
  const worker = state.workers[index];
  const { phase, late } = worker;
  const go = (what: string, phase: Phase, rest: Partial<State> = {}): Step<State>[] => {
    const next = phase.at === 'idle' ? idle : { ...worker, phase };
    return [{ what: `${letters[index]} ${what}`, next: employ({ ...state, ...rest }, index, next) }];
  };
  const settle = (what: string, result: Result) => go(what, { at: 'settling', result });
  const decide = (what: string, plan: Operation | Result) =>
    'kind' in plan
      ? go(`${what}; plans: ${saidOf(plan)}`, toSecure(plan, omit))
      : settle(`${what}; plans nothing to send`, plan);
  const closed = late && !omit.ignoresLease;
  const mine = state.delivery?.token === index;
  const release: Result = { outcome: 'release', unsure: false, sent: 0, link: undefined, reserved: undefined };

  switch (phase.at) {
    case 'idle':
      if (!isClaimable(state.delivery)) return [];
      if (omit.oneStatement)
        return go('begins to claim and load', { at: 'claiming', desired: state.source, link: state.link });
      return claim(state, index, (known) => ({ at: 'claimed', ...known }), go);
    case 'claiming': // `for update skip locked` takes the newest row, everything else comes from the snapshot
      if (!isClaimable(state.delivery)) return go('finds nothing to claim', { at: 'idle' });
      return claim(state, index, (known) => ({ ...phase, at: 'loaded', ...known }), go);
    case 'claimed': // src/deliver/load.ts: a statement of its own
      return go(`loads: ${say(state.source)}, link ${say(state.link)}`, {
        ...phase,
        at: 'loaded',
        desired: state.source,
        link: state.link,
      });
    case 'loaded': {
      const { desired, link, unsure, stray } = phase;
      if (!unsure || omit.trustsLink) return decide('trusts its link', planned(desired, link, undefined));
      if (closed) return settle('sees that it is late', release); // `Batch.#open`
      // src/deliver/look.ts: `strayIds` are reserved, fenced by the token; then `reservedIds`
      const reserved = omit.reservesNothing ? 0 : union(state.reserved, mine ? stray : 0);
      const places = union(link, omit.reservesNothing ? stray : reserved);
      if (places === 0) return decide('has nowhere to look', planned(desired, link, { live: 0, stray: 0 }));
      return go(`will look at ${say(places)}`, { at: 'looking', desired, link, places, live: 0 }, { reserved });
    }
    case 'looking': // `readPlaces`: one read each, the link's first
      return looks(phase, state.entries).flatMap(({ what, next }) =>
        'at' in next ? go(what, next) : decide(what, next),
      );
    case 'planned': // src/deliver/reserve.ts: `mine` is locked, and nothing reserved without it
      if (!mine) return go('is fenced off, and stops', { at: 'idle' });
      return go(`reserves ${say(wishes(phase.operation))}`, toProve(phase.operation), {
        reserved: union(state.reserved, wishes(phase.operation)),
      });
    case 'secured': // `Batch.#proveAbsence`: what takes an entry away needs a read of this moment
      if (state.source !== 0) return settle('finds the row there again', release);
      return go('proves the row absent', { ...phase, at: 'proven' });
    case 'proven': // `Batch.#send`: `#open`
      if (closed) return settle('sees that it is late', release);
      return go('may send', { ...phase, at: 'checked' });
    case 'checked': // `send`
      if (phase.operation.kind === 'adopt') return settle('adopts what is there', resultOf(phase.operation, 'done'));
      return go(`sends: ${saidOf(phase.operation)}`, { ...phase, at: 'sent', answer: 'none' });
    case 'sent': {
      const { operation, answer } = phase;
      // The deadline is within the lease, so that it is a late worker that has missed it.
      const deadline = late ? settle('destroys the connection', timedOut(operation)) : [];
      if (answer !== 'none') return [...deadline, ...settle(`is told: ${answer}`, resultOf(operation, answer))];
      const { entries, said } = performed(operation, state.entries);
      return [...deadline, ...go(`has its operation take effect: ${said}`, { ...phase, answer: said }, { entries })];
    }
    case 'settling': {
      const { result } = phase;
      const moved = state.delivery?.moved ?? false;
      if (omit.locksNothing || omit.decidesOnTable)
        return go('begins to settle', { at: 'recording', result, mine, moved });
      // src/deliver/settle.ts: `locked`, in one instant with what is decided on it
      const owned = omit.ignoresToken ? state.delivery !== undefined : mine;
      const facts = recorded(state, result, { mine: owned, gone: !moved, freed: moved }, omit);
      return go(`settles: ${owned ? result.outcome : 'too late'}`, { at: 'idle' }, facts);
    }
    case 'recording': {
      const { result, mine: saw, moved: seen } = phase;
      const moved = state.delivery?.moved ?? false;
      // A row that was changed since is looked at again with the condition: on the table's values, or on those seen.
      const gone = omit.locksNothing ? !seen : !seen && !moved;
      const freed = omit.locksNothing ? seen : seen && moved;
      return go(
        `settles: ${result.outcome}`,
        { at: 'idle' },
        recorded(state, result, { mine: saw && mine, gone, freed }, omit),
      );
    }
  }
}

/** `secure`: only what writes under an id needs one. */
function toSecure(operation: Operation, { reservesNothing }: Omissions): Phase {
  return reservesNothing || wishes(operation) === 0 ? toProve(operation) : { at: 'planned', operation };
}

function toProve(operation: Operation): Phase {
  return { at: operation.absent ? 'secured' : 'proven', operation };
}

/** src/deliver/claim.ts: the row as it is now; taken over from another, it is unsure. */
function claim(
  state: State,
  index: 0 | 1,
  phase: (known: { unsure: boolean; stray: Ids }) => Phase,
  go: (what: string, phase: Phase, rest: Partial<State>) => Step<State>[],
): Step<State>[] {
  const { delivery } = state;
  if (!delivery) return [];
  const unsure = delivery.unsure || delivery.token !== undefined;
  const claimed: Delivery = { ...delivery, token: index, moved: false, lapsed: false, unsure };
  const what = `claims the delivery${unsure ? ', unsure' : ''}`;
  return go(what, phase({ unsure, stray: delivery.stray }), { delivery: claimed });
}

function saidOf({ kind, from, to }: Operation): string {
  if (kind === 'rename') return `rename ${say(from)} to ${say(to)}`;
  return `${kind} ${say(kind === 'create' ? to : from)}`;
}
