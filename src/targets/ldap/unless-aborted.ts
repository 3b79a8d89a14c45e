import { onAbort } from '../deadline.ts';
import { givenUp } from './errors.ts';

/** The outcome of a promise that others wait for as well, for a caller who may stop waiting. */
export async function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal, server: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(givenUp(server, false));
  if (signal.aborted) abort();
  const wanted = onAbort(signal, abort);
  try {
    return await Promise.race([shared, promise]);
  } finally {
    wanted();
  }
}
