import type { z } from 'zod';
import type { Path, Problem } from './problem.ts';
import type { tls } from './tls.ts';

/** A client certificate and its key come together. `above`: where `tls` stands. */
export function checkKeyPair(given: z.output<typeof tls> | undefined, above: Path): Problem[] {
  if ((given?.cert === undefined) === (given?.key === undefined)) return [];
  const [there, missing] = given?.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
  return [{ path: [...above, 'tls', there], at: 'key', message: `expected ${missing} beside it` }];
}
