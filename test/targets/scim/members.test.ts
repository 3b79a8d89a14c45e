/** Members of groups, by the ids that the service gave them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AttributeChange, TargetError } from '../../../src/targets/target.ts';
import { type Bench, createBench } from './bench.ts';

const calm = AbortSignal.timeout(120_000);
let bench: Bench;

beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.close());

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `id-${from + at}`);

function createGroup(members: readonly string[]) {
  const attributes = { members, externalId: ['7'] };
  return bench.target.apply({ operation: 'create', entity: 'group', remoteId: 'Group/staff', attributes }, calm);
}

function change(stableId: string | undefined, ...changes: readonly AttributeChange[]) {
  const entry = { remoteId: 'Group/staff', ...(stableId === undefined ? {} : { stableId }) };
  return bench.target.apply({ operation: 'update', entity: 'group', ...entry, changes }, calm);
}

const add = (values: readonly string[]): AttributeChange => ({ attribute: 'members', action: 'add', values });
const remove = (values: readonly string[]): AttributeChange => ({ attribute: 'members', action: 'delete', values });

function members(): unknown[] {
  const [group] = bench.server.groups();
  return (Array.isArray(group?.members) ? group.members : []).map(({ value }) => value);
}

test.each(['filter', 'value'] as const)('are put in and taken out in portions, by %s', async (removeMembers) => {
  await bench.close();
  bench = await createBench({ removeMembers });
  bench.server.behave('members of 100');
  const { stableId } = await createGroup(ids(250));
  expect(members()).toEqual(ids(250));
  await change(stableId, add(ids(150, 250)), remove(ids(120)));
  expect(members()).toEqual(ids(280, 120));
  expect(bench.server.asked.filter(({ method }) => method === 'PATCH')).toHaveLength(2 + 2 + 2);
});

test('are replaced with the group where the service takes no PATCH', async () => {
  bench.server.behave('no PATCH');
  const { stableId } = await createGroup(ids(250));
  await change(stableId, add(ids(2, 250)), remove(ids(251)));
  expect(members()).toEqual(['id-251']);
  expect(bench.server.groups()[0]).toMatchObject({ externalId: '7', displayName: 'staff' });
});

test('may all go, and need nobody in their place', async () => {
  const { stableId } = await createGroup(['', 'id-1']);
  expect(members()).toEqual(['id-1']);
  await change(stableId, { attribute: 'members', action: 'replace', values: [] });
  expect(members()).toEqual([]);
  await change(stableId, add(['id-2']), remove(['']));
  expect(members()).toEqual(['id-2']);
});

test('that are there, or not, may be put in, or taken out, again', async () => {
  const { stableId } = await createGroup(ids(3));
  await change(stableId, add(ids(4)), remove(['nobody']));
  expect(members()).toEqual(ids(4));
  expect(await bench.target.read({ remoteId: 'Group/staff' }, ['members'], calm)).toMatchObject({
    stableId,
    attributes: { members: ids(4) },
  });
  expect(bench.target.normaliseReference('ID-1')).toBe('ID-1');
});

test('of which only the first portion came through leave us unsure', async () => {
  const { stableId } = await createGroup([]);
  const [before] = bench.server.groups();
  bench.server.asked.length = 0;
  bench.server.failAfter(1);
  const error = await change(stableId, add(ids(150))).catch((failed: TargetError) => failed);
  expect(error).toMatchObject({ kind: 'rejected', unsure: true });
  expect(members()).toHaveLength(100);
  expect(before).toBeDefined();
});
