/** Compares what the demo's flow of CSV files tells with the registry of `examples/university`, person by person. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { readExpectedPhonebook } from '../../examples/university/expected.ts';
import type { Mismatch } from './compare.ts';
import { mismatchesOf } from './mismatches.ts';
import { withDatabase } from './with-database.ts';

const line = z.strictObject({
  sequence: z.string(),
  operation: z.enum(['create', 'update', 'rename', 'delete']),
  at: z.string(),
  id: z.string(),
  former_id: z.string(),
  name: z.string(),
  login: z.string(),
  phone: z.string(),
  departments: z.string(),
});

/** Reads every file in order, as whoever gets the flow would, and compares what comes of it. */
export async function comparePhonebook(
  databaseUrl: string,
  folder: string,
): Promise<{ readonly lines: number; readonly files: number; readonly mismatches: readonly Mismatch[] }> {
  const expected = await withDatabase(databaseUrl, readExpectedPhonebook);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.csv')).toSorted();
  const found = new Map<string, object>();
  const mismatches: Mismatch[] = [];
  let last = 0;
  for (const name of names) {
    const rows = parse(await readFile(join(folder, name), 'utf8'), { columns: true, bom: true });
    for (const { sequence, operation, id, former_id, name, login, phone, departments } of z.array(line).parse(rows)) {
      last += 1;
      if (sequence !== String(last))
        mismatches.push({ problem: 'unexpected', dn: `line ${sequence} of the phonebook, after ${last - 1}` });
      if (operation === 'rename') found.delete(`phonebook ${former_id}`);
      if (operation === 'delete') found.delete(`phonebook ${id}`);
      else found.set(`phonebook ${id}`, { name, login, phone, departments });
    }
  }
  mismatches.push(...mismatchesOf(expected, found, 'line'));
  return { lines: expected.size, files: names.length, mismatches };
}
