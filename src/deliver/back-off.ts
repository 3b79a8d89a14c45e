/** Seconds to pause after `failures` failures: doubling from `first` to `longest`, spread by half so that not all return at once. */
export function backOff(failures: number, first: number, longest: number): number {
  const pause = Math.min(first * 2 ** Math.min(failures, 30), longest);
  return pause * (0.5 + Math.random() / 2);
}
