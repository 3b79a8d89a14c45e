/** Many changes in one request. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TargetError } from '../../../src/targets/target.ts';
import { type Bench, changePerson, createBench, createPerson } from './bench.ts';

const calm = AbortSignal.timeout(120_000);
let bench: Bench;

beforeEach(async () => {
  bench = await createBench({ bulk: true });
  await bench.target.ping(calm);
  bench.server.asked.length = 0;
});
afterEach(() => bench.close());

const create = (...names: readonly string[]) =>
  Promise.allSettled(names.map((name) => bench.target.apply(createPerson(name, { displayName: [name] }), calm)));

function writes(): string[] {
  return bench.server.asked.flatMap(({ method, path }) => (method === 'GET' ? [] : [`${method} ${path}`]));
}

function reasons(results: readonly PromiseSettledResult<unknown>[]): TargetError[] {
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
}

test('each has its own answer', async () => {
  bench.server.put('User', { userName: 'taken' });
  const results = await create('anna', 'taken', 'bob');
  expect(writes()).toEqual(['POST /Bulk']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const [error] = reasons(results);
  expect(error).toMatchObject({ kind: 'exists', unsure: false });
  expect(error?.message).toMatch(
    /^create User\/taken: POST \/Users in POST http.*\/Bulk was answered 409: userName taken is taken, uniqueness$/,
  );
  for (const [at, name] of [
    [0, 'anna'],
    [2, 'bob'],
  ] as const) {
    const result = results[at];
    const user = bench.server.users().find(({ userName }) => userName === name);
    expect(result).toEqual({ status: 'fulfilled', value: { remoteId: `User/${name}`, stableId: user?.id } });
  }
});

test('changes and removals go along', async () => {
  await create('anna', 'bob');
  const [anna, bob] = bench.server.users();
  bench.server.asked.length = 0;
  await Promise.all([
    bench.target.apply({ ...changePerson('anna', { displayName: ['A'] }), stableId: anna?.id ?? '' }, calm),
    bench.target.apply({ operation: 'remove', entity: 'person', remoteId: 'User/bob', stableId: bob?.id ?? '' }, calm),
    bench.target.apply({ operation: 'remove', entity: 'person', remoteId: 'User/x', stableId: 'gone' }, calm),
  ]);
  expect(writes()).toEqual(['POST /Bulk']);
  expect(bench.server.users()).toMatchObject([{ userName: 'anna', displayName: 'A' }]);
});

test('no more go out at once than the service takes', async () => {
  bench.server.behave('small bulk');
  await bench.target.ping(calm);
  const results = await create('a', 'b', 'c', 'd', 'e', 'f'.repeat(2000), 'g');
  expect(reasons(results)).toEqual([]);
  expect(bench.server.users()).toHaveLength(7);
  expect(writes().toSorted()).toEqual(['POST /Bulk', 'POST /Bulk', 'POST /Users']);
});

test('one by itself goes out as it is', async () => {
  await create('anna');
  expect(writes()).toEqual(['POST /Users']);
});

test('an answer that is lost leaves us unsure of each', async () => {
  bench.server.behave('lost create');
  const errors = reasons(await create('anna', 'bob'));
  expect(errors).toMatchObject([
    { kind: 'unavailable', unsure: true },
    { kind: 'unavailable', unsure: true },
  ]);
  expect(bench.server.users()).toHaveLength(2);
});

test('what is refused as a whole goes out one by one', async () => {
  bench.server.behave('bulk refused');
  expect(reasons(await create('anna', 'bob'))).toEqual([]);
  expect(writes()).toEqual(['POST /Bulk', 'POST /Users', 'POST /Users']);
});

test('whoever gives up takes nobody along', async () => {
  const patience = new AbortController();
  const names = ['anna', 'bob', 'cleo'];
  const outcomes = Promise.allSettled(
    names.map((name) => bench.target.apply(createPerson(name), name === 'bob' ? patience.signal : calm)),
  );
  patience.abort();
  expect(reasons(await outcomes)).toMatchObject([{ kind: 'unavailable', unsure: false }]);
  expect(bench.server.users().map(({ userName }) => userName)).toEqual(['anna', 'cleo']);
});

test('what the service says nothing of is not taken for done', async () => {
  bench.server.behave('bulk cut short');
  const errors = reasons(await create('anna', 'bob'));
  expect(errors).toMatchObject([
    { kind: 'unknown', unsure: true, message: 'create User/bob: the service said nothing of it' },
  ]);
});

test('is not asked of a service unless the configuration says so', async () => {
  await bench.close();
  bench = await createBench();
  await create('anna', 'bob');
  expect(writes()).toEqual(['POST /Users', 'POST /Users']);
});
