/** A repeatable source of chance: the same seed gives the same sequence on every machine (mulberry32). */
export interface Random {
  /** A whole number from 0 up to, not including, `below`. */
  integer(below: number): number;
  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean;
  /** One item of a list that is not empty. */
  pick<const L extends readonly [unknown, ...unknown[]]>(list: L): L[number];
  /** So many bytes. */
  bytes(length: number): Buffer;
}

/** @param seed any whole number; its lower 32 bits count */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const integer = (below: number): number => Math.floor(next() * below);
  return {
    integer,
    chance: (probability) => next() < probability,
    pick: (list) => list[integer(list.length)] ?? list[0],
    bytes: (length) => Buffer.from(Array.from({ length }, () => integer(256))),
  };
}
