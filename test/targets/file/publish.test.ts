/** When files are made, what they are called, and what is called for them. */
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FileTarget } from '../../../src/targets/file/target.ts';
import { create, createFlow, type Flow, flowConfig, patience, readCsv, readJsonl, replace } from './bench.ts';

let flow: Flow;
/** What a clock would show that the flow looks at. */
let time: Date;
beforeEach(async () => {
  flow = await createFlow();
  time = new Date('2026-03-01T12:00:30Z');
});
afterEach(() => flow.close());

const clock = { now: () => time, reached: () => {} };
const open = (more: Readonly<Record<string, unknown>>): FileTarget => flow.target(flowConfig('csv', more), clock);
const later = (minutes: number) => {
  time = new Date(time.getTime() + minutes * 60_000);
};

/** Takes in so many people and makes what is due. */
async function take(target: FileTarget, ...ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => target.apply(create(id, { name: [id] }), patience())));
  await target.flush(patience());
}

const counts = async () => (await flow.texts()).map((text) => readCsv(text).length);

test('at once: a file for what a batch brought, none for nothing', async () => {
  const target = open({});
  await target.flush(patience());
  await take(target, 'a', 'b');
  await target.flush(patience());
  await take(target, 'c');
  expect(await flow.names()).toEqual(['people-0001.csv', 'people-0002.csv']);
  expect(await counts()).toEqual([2, 1]);
});

test('every: when the oldest that waits is so old', async () => {
  const target = open({ publish: { every: '15m' } });
  await take(target, 'a');
  later(14);
  await take(target, 'b');
  expect(await flow.names()).toEqual([]);
  later(1);
  await target.flush(patience());
  expect(await counts()).toEqual([2]);
  await take(target, 'c');
  later(14);
  await target.flush(patience());
  expect(await counts()).toEqual([2]);
});

test('count: when so many wait, and no file has more', async () => {
  const target = open({ publish: { count: 3 } });
  await take(target, 'a', 'b');
  expect(await counts()).toEqual([]);
  await take(target, 'c', 'd', 'e', 'f', 'g');
  expect(await counts()).toEqual([3, 3]);
});

test('at: when one of the times has come since', async () => {
  const target = open({ publish: { at: '0 6 * * *' } });
  await take(target, 'a');
  later(17 * 60);
  await target.flush(patience());
  expect(await counts()).toEqual([]);
  later(60);
  await target.flush(patience());
  expect(await counts()).toEqual([1]);
});

test('at: also where the last time was missed long ago', async () => {
  const target = open({ publish: { at: '0 6 29 2 *' } });
  await take(target, 'a');
  later(400 * 24 * 60);
  await target.flush(patience());
  expect(await counts()).toEqual([1]);
});

test('of several conditions the first that is met', async () => {
  const target = open({ publish: { every: '1h', count: 2, at: '30 12 * * *' } });
  await take(target, 'a', 'b', 'c');
  expect(await counts()).toEqual([2]);
  later(30);
  await target.flush(patience());
  expect(await counts()).toEqual([2, 1]);
  await take(target, 'd');
  later(60);
  await target.flush(patience());
  expect(await counts()).toEqual([2, 1, 1]);
});

test('what waits when a daemon ends is in the first file of the next', async () => {
  const publish = { every: '1h' };
  await take(open({ publish }), 'a');
  later(60);
  await take(open({ publish }), 'b');
  expect(await counts()).toEqual([2]);
});

test('names tell entity, number, date and time, in UTC', async () => {
  const entities = {
    person: { id: '{id}', attributes: { name: '{name}' } },
    room: { id: '{id}', attributes: { n: '{n}' } },
  };
  const target = open({ name: '{date}T{time}Z-{entity}-{sequence:2}.csv', entities });
  await take(target, 'a');
  await target.apply(create('r1', { n: ['5'] }, 'room'), patience());
  await take(target, 'b');
  const expected = ['person-01', 'person-02', 'room-01'].map((name) => `20260301T120030Z-${name}.csv`);
  expect(await flow.names()).toEqual(expected);
  expect((await flow.texts()).map((text) => text.split('\r\n')[0])).toEqual([
    'operation,sequence,at,id,former_id,name',
    'operation,sequence,at,id,former_id,name',
    'operation,sequence,at,id,former_id,n',
  ]);
});

test('JSON Lines of several entities may share a file, and say whose a record is', async () => {
  const entities = {
    person: {
      id: '{id}',
      attributes: { 'name.full': '{name}', 'name.short': '{short}', tall: { from: 'tall', as: 'boolean' } },
    },
    group: {
      id: 'g-{id}',
      attributes: { members: { ref: 'person', from: 'members' }, size: { from: 'n', as: 'number' } },
    },
  };
  const target = flow.target(flowConfig('jsonl', { entities, name: 'all-{sequence}.jsonl' }), clock);
  await target.apply(create('1', { 'name.full': ['Ada L.'], tall: ['f'] }), patience());
  await target.apply(create('g-1', { members: ['1', '2'], size: ['12345678901234567890'] }, 'group'), patience());
  await target.flush(patience());
  const [text = ''] = await flow.texts();
  const at = time.toISOString();
  expect(readJsonl(text)).toEqual([
    {
      entity: 'person',
      operation: 'create',
      sequence: 1,
      at,
      id: '1',
      name: { full: 'Ada L.', short: null },
      tall: false,
    },
    {
      entity: 'group',
      operation: 'create',
      sequence: 2,
      at,
      id: 'g-1',
      members: ['1', '2'],
      size: Number('12345678901234567890'),
    },
  ]);
  expect(text).toContain('"size":12345678901234567890}');
});

test('a snapshot takes the place of the one before, and is not made again for nothing', async () => {
  const target = open({ content: 'snapshot', name: 'people.csv', fields: { id: 'id' } });
  await take(target, 'a', 'b');
  const { ino } = await stat(join(flow.folder, 'people.csv'));
  await target.apply(replace('a', { name: ['a'] }), patience());
  await target.flush(patience());
  expect((await stat(join(flow.folder, 'people.csv'))).ino).toBe(ino);
  await target.apply({ operation: 'remove', entity: 'person', remoteId: 'a' }, patience());
  await target.flush(patience());
  const [text = ''] = await flow.texts();
  expect(readCsv(text).map(({ id }) => id)).toEqual(['b']);
});

test('snapshots with numbers stay beside each other', async () => {
  const target = open({ content: 'snapshot', name: 'people-{sequence:1}.csv' });
  await take(target, 'a');
  await take(target, 'b');
  expect(await counts()).toEqual([1, 2]);
});

test('a snapshot is written anew when it is to look otherwise', async () => {
  const more = { content: 'snapshot', name: 'people.csv' };
  await take(open(more), 'a');
  await open({ ...more, delimiter: ';' }).flush(patience());
  expect(await flow.texts()).toEqual(['number;name;title;mail\r\n;a;;\r\n']);
});

test('a snapshot that cannot be written as is configured now says whose entry it is', async () => {
  const more = { content: 'snapshot', name: 'people.csv' };
  await take(open(more), 'Ł');
  await expect(open({ ...more, encoding: 'latin1' }).flush(patience())).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(
      /^person Ł cannot be written as is configured now: attribute name has the character/,
    ),
  });
  await open({ ...more, encoding: 'utf-16le' }).flush(patience());
  expect((await flow.bytes('people.csv')).toString('utf16le')).toContain(',Ł,');
});

test('what was told before the columns changed goes into a file with the columns of then', async () => {
  await take(open({ publish: { every: '1h' } }), 'a');
  const entities = { person: { id: '{id}', attributes: { title: '{title}', name: '{name}' } } };
  await take(open({ entities, name: 'new-{sequence:4}.csv' }), 'b');
  expect(await flow.names()).toEqual(['new-0002.csv', 'people-0001.csv']);
  const [after = '', before = ''] = await flow.texts();
  expect(readCsv(before)).toMatchObject([{ sequence: '1', number: '', name: 'a', mail: '' }]);
  expect(readCsv(after)).toMatchObject([{ sequence: '2', title: '', name: 'b' }]);
});

test('files have the permissions that are configured, and what is known of them only ours', async () => {
  await take(open({ permissions: '0644' }), 'a');
  const mode = async (name: string) => ((await stat(join(flow.folder, name))).mode & 0o777).toString(8);
  expect(await mode('people-0001.csv')).toBe('644');
  expect(await mode('.staffetta')).toBe('700');
  expect(await mode('.staffetta/flow.sqlite')).toBe('600');
  expect(await mode('.staffetta/flow.sqlite-wal')).toBe('600');
});

test('a number is never given to a file in whose place another one stands', async () => {
  await writeFile(join(flow.folder, 'people-0001.csv'), 'mine');
  const target = open({});
  await expect(take(target, 'a')).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/people-0001.csv is there already/),
  });
  expect(await flow.texts()).toEqual(['mine']);
  await rm(join(flow.folder, 'people-0001.csv'));
  await target.flush(patience());
  expect(await counts()).toEqual([1]);
});

test('the command is called for each file, in order, and again where it failed', async () => {
  const script = join(flow.folder, '.send.sh');
  const send = async (text: string) => {
    await writeFile(script, `#!/bin/sh\n${text}\n`);
    await chmod(script, 0o755);
  };
  await send('echo "host $HOST is away" >&2; exit 7');
  const target = open({ command: { run: ['./.send.sh'], env: { HOST: 'badge' } } });
  await expect(take(target, 'a')).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/people-0001\.csv, ended with 7: host badge is away$/),
  });
  await expect(take(target, 'b')).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('0001'),
  });
  expect(await counts()).toEqual([1, 1]);
  expect((await target.ping(patience())).summary).toContain('2 to be transferred');
  await send('basename "$1" >>.sent');
  await take(target, 'c');
  await target.flush(patience());
  const sent = await readFile(join(flow.folder, '.sent'), 'utf8');
  expect(sent).toBe('people-0001.csv\npeople-0002.csv\npeople-0003.csv\n');
});

test('what the command prints of its environment is not repeated', async () => {
  const target = open({
    command: { run: ['sh', '-c', 'echo "$KEY refused by $HOST"; exit 1'], env: { KEY: 'sesame-open', HOST: 'badge' } },
  });
  await expect(take(target, 'a')).rejects.toMatchObject({
    message: expect.stringMatching(/ended with 1: \*{8} refused by badge$/),
  });
});

test('{file} stands for the file among the arguments; a program that is not there stops the target', async () => {
  await take(open({ command: ['cp', '{file}', './.copy'] }), 'a');
  expect(readCsv((await flow.bytes('.copy')).toString())).toHaveLength(1);
  const bad = open({ command: ['/nonexistent/send'] });
  await expect(take(bad, 'b')).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/could not be started/),
  });
});

test('a command that hangs is killed, and keeps nobody longer than they have time', async () => {
  const target = open({ command: { run: ['sh', '-c', 'sleep 60'], timeout: '500ms' } });
  await target.apply(create('a', {}), patience());
  await expect(target.flush(AbortSignal.timeout(100))).rejects.toMatchObject({
    message: expect.stringMatching(/still being made or transferred/),
  });
  await expect(target.flush(patience())).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/time limit, and was killed/),
  });
});

test.each([
  [['sh', '-c', 'kill -s TERM $$'], /was killed by SIGTERM$/],
  [['sh', '-c', 'yes >&2'], /printed more than a megabyte, and was killed$/],
])('the command %j fails', async (command, message) => {
  await expect(take(open({ command }), 'a')).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(message),
  });
});

test('without a command any more, nothing is left to be transferred', async () => {
  await expect(take(open({ command: ['false'] }), 'a')).rejects.toThrow();
  const target = open({});
  await target.flush(patience());
  expect((await target.ping(patience())).summary).not.toContain('transferred');
});

test('a file that is gone before it was transferred is asked back', async () => {
  const target = open({ command: ['false'] });
  await expect(take(target, 'a')).rejects.toMatchObject({ kind: 'unavailable' });
  const [away, there] = ['away', 'people-0001.csv'].map((name) => join(flow.folder, name));
  await rename(String(there), String(away));
  await expect(target.flush(patience())).rejects.toMatchObject({
    message: expect.stringMatching(/yet to be transferred, is gone: put it back/),
  });
});

test('of snapshots under one name, the newest is transferred', async () => {
  const more = { content: 'snapshot', name: 'people.csv' };
  const failing = open({ ...more, command: ['false'] });
  await expect(take(failing, 'a')).rejects.toThrow();
  await expect(take(failing, 'b')).rejects.toThrow();
  await open({ ...more, command: ['sh', '-c', 'wc -l <"$0" >>.sent'] }).flush(patience());
  expect((await flow.bytes('.sent')).toString().trim()).toBe('3');
});

test('a folder that is not there, or of another format, stops the target', async () => {
  const missing = open({ folder: 'missing' });
  const none = { kind: 'misconfigured', message: expect.stringMatching(/missing: there is none: make it$/) };
  await expect(missing.ping(patience())).rejects.toMatchObject(none);
  await expect(take(missing, 'a')).rejects.toMatchObject(none);
  await mkdir(join(flow.folder, 'missing'));
  await take(missing, 'a');
  const other = flow.target(flowConfig('ldif', { folder: 'missing' }));
  await expect(other.ping(patience())).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/a flow of format csv, not ldif/),
  });
});

test('another folder behind the same name is refused, also in mid-life, until it is accepted', async () => {
  await mkdir(join(flow.folder, 'a'));
  const target = open({ folder: 'a' });
  const { identity } = await target.ping(patience());
  target.expect(identity);
  await take(target, 'x');
  await rename(join(flow.folder, 'a'), join(flow.folder, 'b'));
  await mkdir(join(flow.folder, 'a'));
  const refusal = { kind: 'misconfigured', message: expect.stringContaining('accept-target') };
  await expect(take(target, 'y')).rejects.toMatchObject(refusal);
  const other = await target.ping(patience());
  expect(other.identity).not.toBe(identity);
  target.expect(other.identity);
  await take(target, 'y');
  expect(readCsv(await readFile(join(flow.folder, 'a', 'people-0001.csv'), 'utf8'))).toMatchObject([{ id: 'y' }]);
});
