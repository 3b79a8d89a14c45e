/** What takes an entry away goes out only if its absence is proven at that moment (PROTOCOL C1). */
import type { ReferencePolicy } from '../config/policies.ts';
import type { Claimed } from './claim.ts';
import type { Loaded } from './load.ts';
import { isEmptied } from './members.ts';
import { type Outcome, release } from './outcome.ts';
import type { Ready } from './secure.ts';
import type { Standing } from './standing.ts';

/** Whether a change is made because the entry should not be there, or not as it is: its absence has to be proven. */
export function takesAway({ loaded, write }: Ready): boolean {
  return !loaded.desired || write.link === undefined;
}

/**
 * Of removals, which go out last, those that may: a read at this moment still has no row, or no member for an entry that is
 * not there without one, and nobody has begun to wait for the entry (`wanted`), to whom it is handed over instead (C4).
 */
export async function proveAbsence(
  references: ReadonlyMap<string, ReferencePolicy>,
  removals: readonly Ready[],
  wanted: ReadonlySet<string>,
  read: (claimed: readonly Claimed[]) => Promise<Standing | undefined>,
): Promise<{ proven: Ready[]; doubted: Outcome[] }> {
  if (removals.length === 0) return { proven: [], doubted: [] };
  const standing = await read(removals.map(({ loaded }) => loaded.claimed));
  const isAbsent = ({ claimed: { key }, desired, wantedBy }: Loaded) =>
    desired && !desired.released ? isEmptied(references, standing?.members.get(key)) : !desired && !wantedBy;
  const absent = new Set(standing?.loaded.filter(isAbsent).map(({ claimed }) => claimed.key));
  const isProven = ({ loaded: { claimed } }: Ready) => absent.has(claimed.key) && !wanted.has(claimed.key);
  return {
    proven: removals.filter(isProven),
    doubted: removals.filter((removal) => !isProven(removal)).map(({ loaded }) => release(loaded.claimed)),
  };
}
