import type { Whole } from '../targets/target.ts';
import type { Loaded } from './load.ts';
import { isValue } from './stored.ts';

/** The entry of a key as targets are told of it that write entries whole. */
export function wholeOf({ desired, link }: Pick<Loaded, 'desired' | 'link'>): Whole {
  const kept = Object.entries(link?.attributes ?? {}).map(([name, values]) => [name, values.filter(isValue)] as const);
  return { desired: desired?.attributes ?? undefined, written: Object.fromEntries(kept) };
}
