import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FindingList } from '../../src/commands/finding-list.ts';
import type { Finding } from '../../src/reconcile/pairing.ts';

const folder = mkdtempSync(join(tmpdir(), 'staffetta-findings-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function* findings(count: number, key = (index: number) => String(index)): AsyncGenerator<Finding> {
  for (let index = 1; index <= count; index += 1)
    yield { verdict: 'matched', key: key(index), entry: 'cn="a", b', wanted: null, note: 'one\ntwo' };
}

test('what a spreadsheet would run is text, and what separates values is kept apart', async () => {
  const file = join(folder, 'few.csv');
  const list = new FindingList(file);
  await list.add(
    'directory',
    'person',
    findings(1, () => '=1+1'),
  );
  await list.end();
  expect(readFileSync(file, 'utf8')).toBe(
    `target,entity,verdict,key,entry,wanted,note\ndirectory,person,matched,'=1+1,"cn=""a"", b",,"one\ntwo"\n`,
  );
});

test('more than fits into memory at once goes to the file as it comes', async () => {
  const file = join(folder, 'many.csv');
  const list = new FindingList(file);
  for (const entity of ['person', 'team']) await list.add('directory', entity, findings(20_000));
  await list.end();
  expect(readFileSync(file, 'utf8').match(/^directory,/gm)).toHaveLength(40_000);
});
