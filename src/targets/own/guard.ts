/**
 * What stands between the engine and a module of somebody's own: whatever the module does, the engine gets an answer of the
 * right form or a TargetError, and gets it in time.
 */
import { setTimeout } from 'node:timers/promises';
import { mask, oneLine, storable } from '../../programs/output.ts';
import { TargetError, type TargetErrorKind } from '../target.ts';
import { words } from './module.ts';

/** Milliseconds in which a module may still say what became of a call that was given up; then nobody listens any more. */
const hearing = 500;

/** One call of a module. */
export interface Call<T> {
  /** As messages name it: "apply of ./my-target.ts". */
  readonly what: string;
  /** Whether something may have been changed where it fails. */
  readonly changes: boolean;
  readonly signal: AbortSignal;
  /** Texts that nobody may see; asked for where there is something to say. */
  readonly secrets: () => readonly string[];
  /** The answer in its right form; throws an Error that says what is wrong with it. */
  readonly check: (answer: unknown) => T;
}

/** Calls a module. Throws TargetError only, at the latest shortly after the signal. */
export async function guarded<T>(call: Call<T>, work: () => unknown): Promise<T> {
  const { what, changes, signal, check } = call;
  if (signal.aborted) throw new TargetError('unavailable', `${what} was given up before it began`);
  const answer = Promise.try(work).catch((error: unknown) => {
    throw translated(call, error);
  });
  const over = new AbortController();
  try {
    return checked(call, await Promise.race([answer, late(signal, over.signal)]), check);
  } catch (error) {
    if (error === tooLate)
      throw new TargetError('unavailable', `${what} did not answer within the time limit`, { unsure: changes });
    throw error;
  } finally {
    over.abort();
    answer.catch(() => {}); // nobody listens any more
  }
}

const tooLate = Symbol('too late');

/** Throws `tooLate` when a signal came a while ago; never, once it is `over`. */
async function late(signal: AbortSignal, over: AbortSignal): Promise<never> {
  const came = Promise.withResolvers<void>();
  if (signal.aborted) came.resolve();
  signal.addEventListener('abort', () => came.resolve(), { once: true, signal: over });
  await came.promise;
  await setTimeout(hearing, undefined, { signal: over }).catch(() => {});
  throw tooLate;
}

function checked<T>({ what, changes }: Call<T>, answer: unknown, check: (answer: unknown) => T): T {
  try {
    return check(answer);
  } catch (error) {
    if (error instanceof TargetError) throw error;
    throw new TargetError('unknown', `${what} answered wrongly: ${oneLine(words(error))}`, { unsure: changes });
  }
}

const kinds: ReadonlySet<string> = new Set<TargetErrorKind>([
  ...(['gone', 'converged', 'exists', 'unavailable', 'misconfigured'] as const),
  ...(['dependency', 'rejected', 'one-sided', 'unknown'] as const),
]);

function isKind(kind: unknown): kind is TargetErrorKind {
  return typeof kind === 'string' && kinds.has(kind);
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/**
 * What a module threw, as the engine knows it. A TargetError is taken at its word, also one of another copy of Staffetta;
 * what a module throws when it was told to give up is that; anything else is `unknown`.
 */
export function translated(
  { what, changes, signal, secrets }: Omit<Call<unknown>, 'check'>,
  error: unknown,
): TargetError {
  const message = oneLine(storable(mask(words(error), secrets())));
  if (error instanceof Error && error.name === 'TargetError' && 'kind' in error && isKind(error.kind)) {
    const data = error instanceof TargetError ? error.data : undefined;
    const unsure = 'unsure' in error && error.unsure === true;
    const retryAfter = 'retryAfter' in error && isSeconds(error.retryAfter) ? error.retryAfter : undefined;
    return new TargetError(error.kind, message, { unsure, retryAfter, ...(data ? { data } : {}) });
  }
  if (signal.aborted) return new TargetError('unavailable', `${what} was given up: ${message}`, { unsure: changes });
  return new TargetError('unknown', `${what} failed: ${message}`, { unsure: changes });
}
