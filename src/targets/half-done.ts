import { TargetError } from './target.ts';

/** A failure after something of the same change was done: it means what it means, but nobody knows what is there now. */
export function halfDone(error: unknown): unknown {
  if (!(error instanceof TargetError) || error.unsure) return error;
  const { kind, message, data, retryAfter } = error;
  return new TargetError(kind, message, {
    unsure: true,
    retryAfter,
    cause: error,
    ...(data === undefined ? {} : { data }),
  });
}
