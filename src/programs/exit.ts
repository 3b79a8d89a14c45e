/** How a call of a program ended, and what it said. */
export interface Exit {
  /** Its exit code; null where it was ended, by itself or by us, with a signal. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why we ended it, or why it was not called at all. */
  readonly why?: 'too slow' | 'too much output' | 'not started' | 'not reached';
  /** Of `not started`: the reason. */
  readonly reason?: string;
}
