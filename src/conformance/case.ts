import { type Bench, lacking, type Need } from './bench.ts';

/** One thing that a target must do. Throws an AssertionError, or what the target threw, where it does not. */
export interface Case {
  /** What the target does: reads on from "the target". */
  readonly name: string;
  readonly needs: readonly Need[];
  run(bench: Bench): Promise<void>;
}

/** A case turned out not to concern a target. */
export class LeftOut extends Error {
  override readonly name = 'LeftOut';
}

/** Runs a case; answers with the reason where it was left out. */
export async function perform({ needs, run }: Case, bench: Bench): Promise<string | undefined> {
  for (const need of needs) {
    const reason = lacking(bench, need);
    if (reason !== undefined) return `${need}: ${reason}`;
  }
  try {
    await run(bench);
    return undefined;
  } catch (error) {
    if (error instanceof LeftOut) return error.message;
    throw error;
  }
}
