/** Finding and listing resources, whole or not at all. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Match, RemoteState, TargetError, Value } from '../../../src/targets/target.ts';
import { type Bench, createBench, createScimTarget, workMail } from './bench.ts';

const calm = AbortSignal.timeout(120_000);
let bench: Bench;

beforeEach(async () => {
  bench = await createBench({ pageSize: 10 });
});
afterEach(() => bench.close());

function users(count: number): void {
  for (let at = 0; at < count; at++)
    bench.server.put('User', {
      userName: `u${at}`,
      externalId: `e${at}`,
      emails: [
        { value: `u${at}@example.org`, type: 'work' },
        { value: `u${at + 1}@example.org`, type: 'home' },
      ],
    });
}

async function seen(target = bench.target): Promise<RemoteState[]> {
  const all: RemoteState[] = [];
  for await (const state of target.scan('person', ['externalId'], calm)) all.push(state);
  return all;
}

function match(key: string, where: Readonly<Record<string, Value>>): Match {
  return { key, entity: 'person', where };
}

async function found(matches: readonly Match[], target = bench.target) {
  const all = await target.find(matches, ['externalId'], calm);
  return Object.fromEntries([...all].map(([key, states]) => [key, states.map(({ remoteId }) => remoteId).toSorted()]));
}

function lists(): string[] {
  return bench.server.asked.flatMap(({ method, path }) =>
    method === 'GET' && path.startsWith('/Users?') ? [path] : [],
  );
}

describe('a list', () => {
  test.each(['cursors', undefined] as const)('is whole, page by page (%s)', async (quirk) => {
    if (quirk) bench.server.behave(quirk);
    users(35);
    const states = await seen();
    expect(new Set(states.map(({ remoteId }) => remoteId)).size).toBe(35);
    expect(states[3]).toEqual({
      remoteId: 'User/u3',
      stableId: expect.any(String),
      attributes: { externalId: ['e3'] },
    });
    expect(lists()).toHaveLength(4);
    expect(lists()[0]).toContain('attributes=userName%2CexternalId');
  });

  test('may be empty', async () => {
    expect(await seen()).toEqual([]);
  });

  test.each([
    ['same page', 'asked for resources from 11 on, it showed those from 1 on'],
    ['empty page', 'it showed 10 of 25, and then none'],
    ['shrinking total', 'it had 25 resources, then 24'],
  ] as const)('that is not whole is a failure: %s', async (quirk, reason) => {
    users(25);
    bench.server.behave(quirk);
    const error = await seen().catch((failed: TargetError) => failed);
    expect(error).toMatchObject({
      kind: 'unavailable',
      message: `list all User resources: the service's list is not complete: ${reason}`,
    });
  });

  test('from which something is taken meanwhile is a failure', async () => {
    users(25);
    const removed = (async () => {
      for await (const { stableId = '' } of bench.target.scan('person', [], calm)) {
        if (bench.server.users().length === 25) bench.server.drop(stableId);
      }
    })();
    await expect(removed).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('shows a resource without a name under its id', async () => {
    const entities = { person: { resource: 'User', id: '{uid}', naming: 'externalId', attributes: {} } };
    const target = createScimTarget(bench.server, { entities });
    const { id } = bench.server.put('User', { userName: 'nobody' });
    expect(await seen(target)).toEqual([{ remoteId: `User/?id=${id}`, stableId: id, attributes: {} }]);
    await target.close();
  });
});

describe('existing resources', () => {
  test('are found for many identities with few questions', async () => {
    users(60);
    const matches = Array.from({ length: 60 }, (_, at) => match(String(at), { externalId: `e${at}` }));
    const states = await found([...matches, match('none', { externalId: 'x' })]);
    expect(Object.keys(states)).toHaveLength(60);
    expect(states[7]).toEqual(['User/u7']);
    const questions = lists().filter((path) => !path.includes('startIndex=11'));
    expect(questions.length).toBeLessThan(20);
  });

  test.each<[string, Readonly<Record<string, string>>, string[] | undefined]>([
    ['a value of a list', { 'emails.value': 'u3@example.org' }, ['User/u2', 'User/u3']],
    ['a value of a certain type', { [workMail]: 'u3@example.org' }, ['User/u3']],
    ['several values at once', { [workMail]: 'u3@example.org', externalId: 'e3' }, ['User/u3']],
    ['values that belong to two', { [workMail]: 'u3@example.org', externalId: 'e4' }, undefined],
    ['a value that would be a filter', { externalId: 'e1" or externalId eq "e2' }, undefined],
    ['a value with what JSON escapes', { externalId: 'a "b" \\ c' }, ['User/quoted']],
  ])('are recognised by %s', async (_, where, expected) => {
    users(5);
    bench.server.put('User', { userName: 'quoted', externalId: 'a "b" \\ c' });
    expect((await found([match('1', where)]))[1]).toEqual(expected);
  });

  test.each(['no or', 'no filters'] as const)('are found by a service with %s', async (quirk) => {
    bench.server.behave(quirk);
    users(12);
    const matches = ['e1', 'e11', 'x'].map((value) => match(value, { externalId: value }));
    for (let round = 0; round < 2; round++)
      expect(await found(matches)).toEqual({ e1: ['User/u1'], e11: ['User/u11'] });
    const refused = lists().filter((path) => path.includes(quirk === 'no or' ? '+or+' : 'filter='));
    expect(refused).toHaveLength(quirk === 'no or' ? 1 : 0);
    expect(await bench.target.read({ remoteId: 'User/u11' }, [], calm)).toMatchObject({ remoteId: 'User/u11' });
    expect(await bench.target.read({ remoteId: 'User/x' }, [], calm)).toBeUndefined();
  });
});
