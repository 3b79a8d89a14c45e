/** What is measured: a name, what it means, and what it has to reach. */
export interface Figure {
  /** As in the answer of `--json`, such as `capture.tps_ratio_8`. */
  readonly name: string;
  /** Of its values; empty for a ratio. */
  readonly unit: string;
  readonly meaning: string;
  /** What it must reach, and what would be better still; left out: it is only reported. */
  readonly goal?: Goal;
}

/** At least, or at most, so much. */
export type Goal =
  | { readonly atLeast: number; readonly better?: number }
  | { readonly atMost: number; readonly better?: number };

/** `≥ 0.80, better ≥ 0.90` */
export function describeGoal(goal: Goal): string {
  const [sign, bound] = 'atLeast' in goal ? ['≥', goal.atLeast] : ['≤', goal.atMost];
  return goal.better === undefined ? `${sign} ${bound}` : `${sign} ${bound}, better ${sign} ${goal.better}`;
}

/** How a value stands to a goal. */
export function judge(goal: Goal, value: number): 'missed' | 'reached' | 'better' {
  const reaches = (bound: number) => ('atLeast' in goal ? value >= bound : value <= bound);
  if (!reaches('atLeast' in goal ? goal.atLeast : goal.atMost)) return 'missed';
  return goal.better !== undefined && reaches(goal.better) ? 'better' : 'reached';
}
