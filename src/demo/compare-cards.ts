/** Compares the cards that the demo's backend keeps with the registry of `examples/university`, card by card. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readExpectedCards } from '../../examples/university/expected.ts';
import type { Mismatch } from './compare.ts';
import { mismatchesOf } from './mismatches.ts';
import { withDatabase } from './with-database.ts';

/** Reads both sides, one after the other: nobody should be writing meanwhile. */
export async function compareCards(
  databaseUrl: string,
  folder: string,
): Promise<{ readonly cards: number; readonly mismatches: readonly Mismatch[] }> {
  const expected = await withDatabase(databaseUrl, readExpectedCards);
  const found = await Promise.all(
    (await readdir(folder)).map(async (name): Promise<[string, object]> => {
      const card: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'));
      return [`card ${basename(name, '.json')}`, Object(card)];
    }),
  );
  return { cards: expected.size, mismatches: mismatchesOf(expected, new Map(found), 'card') };
}
