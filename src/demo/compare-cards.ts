/** Compares the cards that the demo's backend keeps with the registry of `examples/university`, card by card. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readExpectedCards } from '../../examples/university/expected.ts';
import type { Mismatch } from './compare.ts';
import { withDatabase } from './with-database.ts';

/** Reads both sides, one after the other: nobody should be writing meanwhile. */
export async function compareCards(
  databaseUrl: string,
  folder: string,
): Promise<{ readonly cards: number; readonly mismatches: readonly Mismatch[] }> {
  const expected = await withDatabase(databaseUrl, readExpectedCards);
  const names = new Set(await readdir(folder));
  const mismatches: Mismatch[] = [];
  for (const [id, card] of expected) {
    const dn = `card ${id}`;
    const name = `${id}.json`;
    if (!names.delete(name)) {
      mismatches.push({ problem: 'missing', dn });
      continue;
    }
    const text = await readFile(join(folder, name), 'utf8');
    const found: unknown = JSON.parse(text);
    if (isDeepStrictEqual(found, card)) continue;
    mismatches.push({
      problem: 'different',
      dn,
      attribute: name,
      expected: [JSON.stringify(card)],
      found: [text.trim()],
    });
  }
  for (const name of names) mismatches.push({ problem: 'unexpected', dn: `card ${name}` });
  return { cards: expected.size, mismatches };
}
