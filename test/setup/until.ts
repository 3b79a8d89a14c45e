import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Looks every 20 ms until `look` answers with something that `wanted` accepts, and returns that. Fails after `patience`
 * milliseconds with what was last seen.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  wanted: (seen: T) => boolean,
  { what = 'the condition', patience = 20_000 } = {},
): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    const seen = await look();
    if (wanted(seen)) return seen;
    if (performance.now() > deadline) {
      throw new Error(
        `${what} did not come true within ${patience / 1000} s; last seen: ${inspect(seen, { depth: 5 })}`,
      );
    }
    await pause(20);
  }
}
