/** A remote id: 0 stands for none, 1 for `a`, 2 for `b`. */
export type Id = 0 | 1 | 2;

/** A set of remote ids: 1 for `a`, 2 for `b`, 3 for both; an id is the set of itself. */
export type Ids = 0 | 1 | 2 | 3;

const sets = [0, 1, 2, 3] as const;

/** In one or the other. */
export const union = (one: Ids, other: Ids): Ids => sets[one | other] ?? 0;

/** In one and the other. */
export const common = (one: Ids, other: Ids): Ids => sets[one & other] ?? 0;

/** In one and not in the other. */
export const without = (one: Ids, other: Ids): Ids => sets[one & ~other] ?? 0;

const names = ['none', 'a', 'b', 'a and b'] as const;

/** For people. */
export const say = (ids: Ids): string => names[ids];
