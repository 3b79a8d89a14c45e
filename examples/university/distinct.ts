/** Hands out names no two of which a directory takes for the same: by case, spaces or spelling of a letter. */
export interface Distinct {
  /** The name as it was wanted or, if that is gone, with the first free number behind it. */
  take(wanted: string): string;
}

const fold = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();

export function createDistinct(): Distinct {
  const taken = new Map<string, number>(); // folded name → the number given last
  const take = (wanted: string): string => {
    const last = taken.get(fold(wanted));
    taken.set(fold(wanted), (last ?? 1) + 1);
    return last === undefined ? wanted : take(`${wanted}${last + 1}`);
  };
  return { take };
}
