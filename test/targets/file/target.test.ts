/** What a flow answers where something is wrong, and what a directory would answer, too. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { create, createFlow, type Flow, flowConfig, patience, readJsonl, replace } from './bench.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await createFlow();
});
afterEach(() => flow.close());

const database = () => join(flow.folder, '.staffetta', 'flow.sqlite');

test('knows no other entities than are configured, and takes nothing when the time is over', async () => {
  const target = flow.target(flowConfig('jsonl'));
  const stranger = target.apply(create('a', {}, 'room'), patience());
  await expect(stranger).rejects.toMatchObject({ kind: 'misconfigured', message: 'the target has no entity room' });
  await expect(target.read({ remoteId: 'a' }, [], AbortSignal.abort())).rejects.toMatchObject({ kind: 'unavailable' });
});

test('bytes are base64, and what has another form than the mapping says is refused', async () => {
  const attributes = {
    photo: { from: 'photo' },
    age: { from: 'age', as: 'number' },
    tags: { from: 'tags', as: 'list' },
  };
  const target = flow.target(flowConfig('jsonl', { entities: { person: { id: '{id}', attributes } } }));
  await target.apply(create('a', { photo: [{ base64: 'AP8=' }], age: ['-1.50e3'] }), patience());
  for (const age of ['007', '1,5', 'NaN', '+1'])
    await expect(target.apply(create(age, { age: [age] }), patience())).rejects.toMatchObject({ kind: 'rejected' });
  await target.flush(patience());
  const [text = ''] = await flow.texts();
  expect(text).toMatch(/"id":"a","photo":"AP8=","age":-1.50e3,"tags":\[\]\}\n$/);
});

test('many changes at once are each their own: one that is refused takes no other with it', async () => {
  const target = flow.target(flowConfig('jsonl'));
  const names = ['a', 'b', 'a', 'c'];
  const made = await Promise.allSettled(names.map((name) => target.apply(create(name, { name: [name] }), patience())));
  expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  await target.flush(patience());
  expect((await flow.texts()).flatMap(readJsonl).map(({ id, sequence }) => [id, sequence])).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
});

test('an entry is found by its stable id wherever it is; another in its place is not taken for it', async () => {
  const target = flow.target(flowConfig('jsonl'));
  const { stableId = '' } = await target.apply(create('a', { name: ['Ada'] }), patience());
  await target.apply(replace('a', {}, 'b'), patience());
  const moved = await target.read({ remoteId: 'a', stableId }, ['name'], patience());
  expect(moved).toEqual({ remoteId: 'b', stableId, attributes: { name: ['Ada'] }, createdByUs: true });
  const other = await target.apply(create('a', { name: ['Eve'] }), patience());
  const changes = [{ attribute: 'name', action: 'replace', values: ['Ada L.'] }] as const;
  await target.apply({ operation: 'update', entity: 'person', remoteId: 'a', stableId, changes }, patience());
  expect(await target.read({ remoteId: 'a' }, ['name'], patience())).toMatchObject({ attributes: { name: ['Eve'] } });
  await target.apply({ operation: 'remove', entity: 'person', remoteId: 'b', stableId }, patience());
  const left = await target.read({ remoteId: 'a', stableId }, ['name'], patience());
  expect(left).toMatchObject({ stableId: other.stableId });
});

test('entries are found by values that are made known later, or changed', async () => {
  const unmatched = { person: { id: '{id}', attributes: { number: '{number}', name: '{name}' } } };
  const before = flow.target(flowConfig('jsonl', { entities: unmatched }));
  await before.apply(create('a', { number: ['1'], name: ['x'] }), patience());
  await before.close();
  const target = flow.target(flowConfig('jsonl'));
  const find = async (number: string) => {
    const found = await target.find([{ key: 'k', entity: 'person', where: { number } }], [], patience());
    return found.get('k')?.map(({ remoteId }) => remoteId);
  };
  expect(await find('1')).toEqual(['a']);
  await target.apply(replace('a', { number: ['2'] }), patience());
  expect([await find('1'), await find('2')]).toEqual([undefined, ['a']]);
  await target.apply({ operation: 'remove', entity: 'person', remoteId: 'a' }, patience());
  expect(await find('2')).toBeUndefined();
});

test('of a tree, what stands below goes along when it is renamed, and keeps it from being removed', async () => {
  const target = flow.target(flowConfig('ldif', { content: 'snapshot', name: 'all.ldif' }));
  const [above, below] = ['ou=old,dc=example,dc=org', 'uid=ada,ou=old,dc=example,dc=org'];
  await target.apply(create(`cn=key,${below}`, { cn: ['key'] }), patience());
  await target.apply(create(below, { cn: ['Ada'] }), patience());
  await target.apply(create(above, { objectClass: ['organizationalUnit'] }), patience());
  await target.apply(replace(above, {}, 'ou=new,dc=example,dc=org'), patience());
  await expect(
    target.apply({ operation: 'remove', entity: 'person', remoteId: 'ou=NEW,dc=example,dc=org' }, patience()),
  ).rejects.toMatchObject({ kind: 'rejected', message: expect.stringContaining('there are entries below it') });
  await target.flush(patience());
  const [text = ''] = await flow.texts();
  expect([...text.matchAll(/^dn: (.*)$/gm)].map(([, dn]) => dn)).toEqual([
    'ou=new,dc=example,dc=org',
    'uid=ada,ou=new,dc=example,dc=org',
    'cn=key,uid=ada,ou=new,dc=example,dc=org',
  ]);
});

test.each([
  { action: 'add', values: ['y', 'x'] },
  { action: 'delete', values: ['x', 'z'] },
] as const)('what does not fit the entry is refused as a whole: $action $values', async (change) => {
  const target = flow.target(flowConfig('jsonl'));
  await target.apply(create('a', { mail: ['x', 'v'] }), patience());
  const changes = [
    { attribute: 'name', action: 'replace', values: ['Ada'] } as const,
    { attribute: 'mail', ...change },
  ];
  const update = { operation: 'update', entity: 'person', remoteId: 'a', changes } as const;
  await expect(target.apply(update, patience())).rejects.toMatchObject({ kind: 'converged', unsure: false });
  const state = await target.read({ remoteId: 'a' }, ['mail', 'name'], patience());
  expect(state?.attributes).toEqual({ mail: ['x', 'v'] });
});

test('LDIF refuses an entry without the value that names it', async () => {
  const target = flow.target(flowConfig('ldif'));
  const dn = 'uid=ada,ou=people,dc=example,dc=org';
  await expect(target.apply(create(dn, { uid: ['eve'] }), patience())).rejects.toMatchObject({ kind: 'rejected' });
  await target.apply(create(dn, { uid: ['eve', 'ADA'] }), patience());
  await expect(target.apply(replace(dn, { uid: ['eve'] }), patience())).rejects.toMatchObject({
    kind: 'rejected',
    message: expect.stringContaining('attribute uid'),
  });
});

test('LDIF refuses what is no distinguished name', async () => {
  const target = flow.target(flowConfig('ldif'));
  await expect(target.apply(create('ada', {}), patience())).rejects.toMatchObject({ kind: 'rejected' });
  expect(() => target.normalise('uid=')).toThrow(/empty/);
});

test('while somebody else writes, a change waits, and gives up in time, nothing being done', async () => {
  const target = flow.target(flowConfig('jsonl'));
  await target.ping(patience());
  const other = new DatabaseSync(database());
  other.exec('begin immediate');
  const late = target.apply(create('late', {}), AbortSignal.timeout(50));
  const patient = target.apply(create('patient', {}), patience());
  await expect(late).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
  expect(await target.read({ remoteId: 'patient' }, [], patience())).toBeUndefined();
  other.exec('commit');
  await patient;
  other.close();
  expect(await target.read({ remoteId: 'late' }, [], patience())).toBeUndefined();
});

test('while somebody else makes files, a flush waits, and says so in time', async () => {
  const target = flow.target(flowConfig('jsonl'));
  await target.apply(create('a', {}), patience());
  const other = new DatabaseSync(join(flow.folder, '.staffetta', 'publishing.sqlite'));
  other.exec('begin exclusive');
  await expect(target.flush(AbortSignal.timeout(50))).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await flow.names()).toEqual([]);
  other.close();
  await target.flush(patience());
  expect(await flow.names()).toEqual(['people-0001.jsonl']);
});

test('what is no database stops the target', async () => {
  await mkdir(join(flow.folder, '.staffetta'));
  await writeFile(database(), 'x'.repeat(5000));
  const target = flow.target(flowConfig('jsonl'));
  await expect(target.ping(patience())).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/cannot be opened: file is not a database$/),
  });
});

test('a folder that cannot be written stops the target', async () => {
  const target = flow.target(flowConfig('jsonl'));
  await target.apply(create('a', {}), patience());
  await mkdir(join(flow.folder, '.people-0001.jsonl.part'));
  await expect(target.flush(patience())).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/EISDIR/),
  });
  await rm(join(flow.folder, '.people-0001.jsonl.part'), { recursive: true });
  await target.flush(patience());
  expect(await flow.names()).toEqual(['people-0001.jsonl']);
});

test('a flow that is closed makes no more files', async () => {
  const target = flow.target(flowConfig('jsonl', { command: ['sh', '-c', 'sleep 60'] }));
  await target.apply(create('a', {}), patience());
  const flushed = target.flush(patience());
  const isThere = async () => (await flow.names()).length > 0;
  await expect.poll(isThere).toBe(true);
  await target.close();
  await expect(flushed).rejects.toMatchObject({ kind: 'unavailable' });
});

test('Node says nothing about its SQLite', () => {
  const { stderr } = spawnSync(process.execPath, ['-e', "process.getBuiltinModule('node:sqlite')"]);
  expect(stderr.toString()).toBe('');
});
