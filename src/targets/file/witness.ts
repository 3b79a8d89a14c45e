/** A moment in the life of a file, between two steps that a crash may come between. */
export type Moment =
  | 'recorded'
  | 'claimed'
  | 'half written'
  | 'complete'
  | 'written'
  | 'renamed'
  | 'published'
  | 'transferred'
  | 'done';

/** What a flow asks and tells of its surroundings; tests put another in its place. */
export interface Witness {
  now(): Date;
  reached(moment: Moment): void;
}

export const everyday: Witness = { now: () => new Date(), reached: () => {} };
