/** A daemon that is killed at any moment: no half file, no gap in the numbers, no record lost or told twice. */
import { execFile } from 'node:child_process';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { Moment } from '../../../src/targets/file/witness.ts';
import { createFlow, type Flow, flowConfig, patience, readCsv, replay } from './bench.ts';

const program = fileURLToPath(new URL('killed-flow.ts', import.meta.url));
let flow: Flow;
afterEach(() => flow.close());

const people = { person: { id: '{id}', attributes: { name: '{name}', number: '{number}', title: '{title}' } } };
const written = (more: object) => ({ type: 'file', folder: '.', format: 'csv', entities: people, ...more });
const changes = { name: 'people-{sequence}.csv' };
const snapshot = { name: 'people.csv', content: 'snapshot', fields: { id: 'id' } };

/** Runs the program until it is killed; what it had been told was taken in. */
async function runUntil(moment: Moment, times: number, more: object, from = 0): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<{ signal: unknown; stdout: string; stderr: string }>();
  const given = [program, flow.folder, JSON.stringify(written(more)), moment, String(times), String(from)];
  execFile(process.execPath, given, { timeout: 60_000 }, (error, stdout, stderr) =>
    resolve({ signal: error?.signal, stdout, stderr }),
  );
  const { signal, stdout, stderr } = await promise;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  return stdout.split('\n').filter((name) => name !== '');
}

const moments: Moment[] = ['recorded', 'claimed', 'half written', 'complete', 'written', 'renamed', 'published'];

test.each(moments.flatMap((moment) => [1, 2, 5].map((times) => ({ moment, times }))))(
  'changes, killed when "$moment" came for time $times',
  async ({ moment, times }) => {
    flow = await createFlow();
    const told = await runUntil(moment, times, changes);
    for (const text of await flow.texts()) expect(readCsv(text).length).toBeGreaterThan(0); // not only its head
    const target = flow.target(flowConfig('csv', { ...changes, entities: people }));
    await target.flush(patience());
    const names = await flow.names();
    expect(names).toEqual(names.map((_, at) => `people-${String(at + 1).padStart(6, '0')}.csv`));
    const state = replay((await flow.texts()).flatMap((text) => readCsv(text))); // fails on a gap and a repetition
    expect([...state.keys()]).toEqual(expect.arrayContaining(told));
    for (const name of state.keys()) expect(await target.read({ remoteId: name }, [], patience())).toBeDefined();
    const seen: string[] = [];
    for await (const { remoteId } of target.scan('person', [], patience())) seen.push(remoteId);
    expect(seen.toSorted()).toEqual([...state.keys()].toSorted());
    expect((await readdir(flow.folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  },
);

test.each(['written', 'renamed'] as const)(
  'a file that was taken away by its reader when "%s" came is not made again',
  async (moment) => {
    flow = await createFlow();
    await runUntil(moment, 2, changes);
    const taken: string[] = [];
    for (const name of await flow.names()) {
      taken.push((await flow.bytes(name)).toString());
      await rename(join(flow.folder, name), join(flow.folder, `.taken-${name}`));
    }
    expect(taken).toHaveLength(moment === 'renamed' ? 2 : 1);
    const told = await runUntil('published', 2, changes, 100);
    const texts = [...taken, ...(await flow.texts())];
    const state = replay(texts.flatMap((text) => readCsv(text)));
    expect([...state.keys()]).toEqual(expect.arrayContaining(['p0', 'p5', ...told]));
  },
);

test.each(moments.slice(1).flatMap((moment) => [1, 3].map((times) => ({ moment, times }))))(
  'a snapshot, killed when "$moment" came for time $times',
  async ({ moment, times }) => {
    flow = await createFlow();
    const told = await runUntil(moment, times, snapshot);
    const target = flow.target(flowConfig('csv', { ...snapshot, entities: people }));
    const before = await flow.texts();
    for (const text of before) expect(readCsv(text).length).toBeGreaterThan(0);
    await target.flush(patience());
    const [text = ''] = await flow.texts();
    expect(await flow.names()).toEqual(['people.csv']);
    expect(readCsv(text).map(({ id }) => id)).toEqual(expect.arrayContaining(told));
  },
);

test('several daemons write one flow at once, until each is killed', async () => {
  flow = await createFlow();
  const all = await Promise.all([0, 1000, 2000].map((from) => runUntil('published', 6, changes, from)));
  const target = flow.target(flowConfig('csv', { ...changes, entities: people }));
  await target.flush(patience());
  const names = await flow.names();
  expect(names).toEqual(names.map((_, at) => `people-${String(at + 1).padStart(6, '0')}.csv`));
  const state = replay((await flow.texts()).flatMap((text) => readCsv(text)));
  expect([...state.keys()]).toEqual(expect.arrayContaining(all.flat()));
  expect(Math.min(...all.map((told) => told.length))).toBeGreaterThan(2);
});

test('the command is called again for a file of which it is not known whether it was', async () => {
  flow = await createFlow();
  const command = ['/bin/sh', '-c', 'basename "$1" >>.sent', 'send', '{file}'];
  await runUntil('transferred', 2, { ...changes, command });
  const target = flow.target(flowConfig('csv', { ...changes, entities: people, command }));
  await target.flush(patience());
  const sent = (await flow.bytes('.sent')).toString().trim().split('\n');
  expect(sent).toEqual(['people-000001.csv', 'people-000002.csv', 'people-000002.csv']);
});
