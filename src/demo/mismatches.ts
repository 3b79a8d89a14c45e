import { isDeepStrictEqual } from 'node:util';
import type { Mismatch } from './compare.ts';

/** What is not as it should be, by the names of things. `attribute`: what one that differs is said to differ in. */
export function mismatchesOf(
  expected: ReadonlyMap<string, object>,
  found: ReadonlyMap<string, object>,
  attribute: string,
): Mismatch[] {
  const judged = [...expected].flatMap(([dn, wanted]): Mismatch[] => {
    const there = found.get(dn);
    if (there === undefined) return [{ problem: 'missing', dn }];
    if (isDeepStrictEqual(there, wanted)) return [];
    const [meant, seen] = [[JSON.stringify(wanted)], [JSON.stringify(there)]];
    return [{ problem: 'different', dn, attribute, expected: meant, found: seen }];
  });
  const others = [...found.keys()].filter((dn) => !expected.has(dn));
  return [...judged, ...others.map((dn): Mismatch => ({ problem: 'unexpected', dn }))];
}
