/** A disk that is full: the target waits, nothing is half done, and nothing is told twice when there is room again. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileTarget } from '../../../src/targets/file/target.ts';
import { createSmallDisk, type SmallDisk } from '../../faults/small-disk.ts';
import { create, flowConfig, patience, readJsonl, replay } from './bench.ts';

let disk: SmallDisk;
beforeAll(async () => {
  disk = await createSmallDisk(16);
});
afterAll(() => disk.close());

const name = 'x'.repeat(2000);

test('changes and files that find no room are refused for now, and made when there is some', async () => {
  const folder = join(disk.path, 'flow');
  await mkdir(folder);
  const target = new FileTarget(flowConfig('jsonl', { folder }), '/');
  const taken: string[] = [];
  const take = async (id: string) => {
    await target.apply(create(id, { name: [name] }), patience());
    taken.push(id);
  };
  await take('first');
  await target.flush(patience());
  await disk.fill(1);
  const refusals: unknown[] = [];
  for (let at = 0; refusals.length < 3; at++) await take(`p${at}`).catch((error) => refusals.push(error));
  for (const refusal of refusals) expect(refusal).toMatchObject({ name: 'TargetError', kind: 'unavailable' });
  await expect(target.flush(patience())).rejects.toMatchObject({ name: 'TargetError', kind: 'unavailable' });
  await disk.free();
  await take('last');
  await target.flush(patience());
  await target.close();
  const files = (await readdir(folder)).filter((file) => !file.startsWith('.')).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const state = replay(texts.flatMap(readJsonl));
  expect(taken.length).toBeGreaterThan(10);
  expect([...state.keys()]).toEqual(taken);
});
