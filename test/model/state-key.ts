import type { Ids } from './ids.ts';
import type { Answer, Operation, Phase, Result, State, Worker } from './state.ts';

/**
 * Equal for states that are the same but for the names of the workers and of the two remote ids. Numbers in mixed radix,
 * a few of them to a string: there are many states.
 */
export function keyOf(state: State): string {
  const plain = encode(state, same);
  const swapped = encode(state, swap);
  if (plain < swapped) return plain;
  return swapped;
}

const swaps = [0, 2, 1, 3] as const;
const swap = (ids: Ids): number => swaps[ids];
const same = (ids: Ids): number => ids;

const flag = (value: boolean): number => (value ? 1 : 0);

function encode(state: State, ids: (ids: Ids) => number): string {
  const { delivery, workers } = state;
  const row = delivery
    ? 1 +
      flag(delivery.moved) +
      2 * flag(delivery.lapsed) +
      4 * flag(delivery.unsure) +
      8 * flag(delivery.parked) +
      16 * ids(delivery.stray) +
      64 * (delivery.token === undefined ? 0 : delivery.token === 'dead' ? 1 : 2)
    : 0;
  const facts =
    ids(state.source) +
    4 * ids(state.link) +
    16 * ids(state.reserved) +
    64 * ids(state.entries) +
    256 * flag(state.event);
  const budgets = state.changes + 8 * state.kills + 16 * state.stops;
  const one = encodeWorker(workers[0], delivery?.token === 0, ids);
  const other = encodeWorker(workers[1], delivery?.token === 1, ids);
  const [first, second] = one < other ? [one, other] : [other, one];
  return String.fromCharCode(row, facts, budgets, first >> 13, first & 8191, second >> 13, second & 8191);
}

const phases = {
  idle: 0,
  claiming: 1,
  claimed: 2,
  loaded: 3,
  looking: 4,
  planned: 5,
  secured: 6,
  proven: 7,
  checked: 8,
  sent: 9,
  settling: 10,
  recording: 11,
} as const satisfies Record<Phase['at'], number>;
const kinds = { create: 0, rename: 1, remove: 2, 'remove stray': 3, adopt: 4 } as const satisfies Record<
  Operation['kind'],
  number
>;
const answers = { none: 0, done: 1, exists: 2, gone: 3 } as const satisfies Record<Answer, number>;
const outcomes = { done: 0, again: 1, release: 2, park: 3 } as const satisfies Record<Result['outcome'], number>;

function encodeWorker({ phase, late, overtaken }: Worker, holds: boolean, ids: (ids: Ids) => number): number {
  const head = phases[phase.at] + 16 * flag(late) + 32 * flag(overtaken) + 64 * flag(holds);
  return (head << 13) | encodePhase(phase, ids);
}

function encodePhase(phase: Phase, ids: (ids: Ids) => number): number {
  switch (phase.at) {
    case 'idle':
      return 0;
    case 'claiming':
      return ids(phase.desired) + 4 * ids(phase.link);
    case 'claimed':
      return flag(phase.unsure) + 2 * ids(phase.stray);
    case 'loaded':
      return flag(phase.unsure) + 2 * ids(phase.stray) + 8 * ids(phase.desired) + 32 * ids(phase.link);
    case 'looking':
      return ids(phase.desired) + 4 * ids(phase.link) + 16 * ids(phase.places) + 64 * ids(phase.live);
    case 'planned':
    case 'secured':
    case 'proven':
    case 'checked':
      return encodeOperation(phase.operation, ids);
    case 'sent':
      return encodeOperation(phase.operation, ids) + 1024 * answers[phase.answer];
    case 'settling':
      return encodeResult(phase.result, ids);
    case 'recording':
      return encodeResult(phase.result, ids) + 2048 * flag(phase.mine) + 4096 * flag(phase.moved);
  }
}

function encodeOperation({ kind, from, to, absent, link }: Operation, ids: (ids: Ids) => number): number {
  return kinds[kind] + 8 * ids(from) + 32 * ids(to) + 128 * flag(absent) + 256 * ids(link);
}

function encodeResult({ outcome, unsure, sent, link, reserved }: Result, ids: (ids: Ids) => number): number {
  const optional = (value: Ids | undefined) => (value === undefined ? 0 : 1 + ids(value));
  return outcomes[outcome] + 4 * flag(unsure) + 8 * ids(sent) + 32 * optional(link) + 160 * optional(reserved);
}
