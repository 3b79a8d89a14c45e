import { TargetError } from './target.ts';

/** Whoever has given up already has nothing done. Throws `unavailable`. */
export function requireTime(signal: AbortSignal): void {
  if (signal.aborted) throw new TargetError('unavailable', 'not begun: the time for it was over');
}

/**
 * Calls `late` when so many milliseconds are over and what came meanwhile was read: a process that was busy, or stopped,
 * finds its time over before it sees the answer that was there in time. Answers with what calls it off.
 */
export function deadline(milliseconds: number, late: () => void): () => void {
  let last: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    last = setImmediate(late);
  }, milliseconds);
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}

/** The same of a signal, whose time may be over in the same way. */
export function onAbort(signal: AbortSignal, late: () => void): () => void {
  let last: NodeJS.Immediate | undefined;
  const abort = (): void => {
    last = setImmediate(late);
  };
  signal.addEventListener('abort', abort, { once: true });
  return () => {
    signal.removeEventListener('abort', abort);
    clearImmediate(last);
  };
}
