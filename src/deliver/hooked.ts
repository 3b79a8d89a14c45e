/** A change with the hooks around it: [before] ► send ► [after]. */
import type { Parameters } from '../database/parameters.ts';
import { failureCode, success } from '../hooks/aosi.ts';
import { type ChangeOutcome, type Search, TooLate } from '../hooks/hook.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Begin, Round } from '../hooks/round.ts';
import { TargetError } from '../targets/target.ts';
import type { Loaded } from './load.ts';
import { type Outcome, release } from './outcome.ts';
import type { Write } from './plan.ts';
import type { Destination } from './route.ts';
import type { Ready } from './secure.ts';
import { failed } from './send.ts';
import { wholeOf } from './whole.ts';

/** What a change with hooks is sent with. */
export interface Way {
  readonly hooks: Hooks;
  /** Who made the last change of the identity. */
  readonly actor: string | null;
  /** Begins a call before the change: it and the change must be over before the claim is. */
  readonly before: Begin;
  /** Begins a call after it. */
  readonly after: Begin;
  /** Sends the change; undefined: it may no longer be sent. */
  readonly send: () => Promise<Outcome | undefined>;
  /** What it means that the target failed before that. */
  readonly failed: (error: TargetError) => Outcome;
}

/** Sends one change, unless a hook stops it, and says what became of its delivery. */
export async function sendHooked(
  destination: Destination,
  { loaded, write }: Ready,
  way: Way,
  parameters: Parameters,
): Promise<Outcome> {
  const begin = { now: way.before };
  const fail = (error: TargetError): Outcome => failed(destination, loaded, error, parameters, write);
  let round: Round | undefined;
  try {
    round = await roundFor(destination, loaded, write, way, (timeout) => begin.now(timeout));
    const panic = await round.before();
    if (panic !== undefined) return { ...fail(new TargetError('rejected', panic)), hooks: round.statuses };
  } catch (error) {
    if (error instanceof TooLate) return tooLate(loaded, error, round, fail);
    if (error instanceof TargetError) return way.failed(error);
    throw error;
  }
  const outcome = await way.send();
  if (!outcome) return { ...release(loaded.claimed), hooks: round.statuses };
  begin.now = way.after;
  const panic = await round.after(outcomeOf(outcome, write));
  return { ...(panic === undefined ? outcome : stopped(outcome, panic)), hooks: round.statuses };
}

async function roundFor(
  { name, target, routes, timeout }: Destination,
  loaded: Loaded,
  { change, operation }: Write,
  { hooks, actor }: Way,
  begin: Begin,
): Promise<Round> {
  const { entity, key } = loaded.claimed;
  const { link, claimed } = loaded;
  const baseDn = (await target.base?.(AbortSignal.timeout(timeout))) ?? null;
  // What disabling writes is not ours otherwise: whether an entry has it is not known.
  const known = link && !claimed.unsure && operation !== 'disable' ? wholeOf(loaded).written : undefined;
  const secret = routes.get(entity)?.mapping.secret ?? new Set<string>();
  const search: Search = async (filter, options, signal) => {
    if (!target.search) throw new TargetError('misconfigured', `target ${name} cannot be searched`);
    return await target.search(filter, options, signal);
  };
  return await hooks.round({ entity, key, target: name, baseDn, actor, change, known, secret }, search, begin);
}

/**
 * Before anything was called, it is given back, to be the first of another claim. But if calls for this one change alone
 * take longer than a claim lasts, they always will.
 */
function tooLate(
  { claimed }: Loaded,
  error: TooLate,
  round: Round | undefined,
  fail: (error: TargetError) => Outcome,
): Outcome {
  const hooks = round?.statuses ?? [];
  if (hooks.length === 0 && !error.never) return release(claimed);
  return { ...fail(new TargetError('unknown', error.message)), unsure: false, hooks };
}

/** What is known of the entry stays; that a hook asked to stop is for a person to see. */
function stopped(outcome: Outcome, message: string): Outcome {
  return outcome.outcome === 'done' ? { ...outcome, outcome: 'park', error: { kind: 'rejected', message } } : outcome;
}

function outcomeOf({ error, sent }: Outcome, { change }: Write): ChangeOutcome {
  const remoteId = sent ?? change.remoteId;
  if (!error) return { done: true, ...success, remoteId };
  return {
    done: false,
    code: failureCode(error.kind),
    message: error.message,
    kind: error.kind,
    remoteId: change.remoteId,
  };
}
