import { expect, test } from 'vitest';
import { Gathering, type Waiting } from '../../src/targets/gathering.ts';
import { TargetError } from '../../src/targets/target.ts';

interface Item {
  readonly what: string;
}

const calm = new AbortController().signal;
const twos = (all: readonly Waiting<Item, string>[]) =>
  all.flatMap((_, index) => (index % 2 === 0 ? [all.slice(index, index + 2)] : []));
const whats = (some: readonly Waiting<Item, string>[]) => some.map(({ item }) => item.what);

test('what comes at the same moment goes together, as it is divided, and each has its own outcome', async () => {
  const carried: string[][] = [];
  const gathering = new Gathering<Item, string>({
    divide: twos,
    carry: async (some) => {
      carried.push(whats(some));
      for (const { item, done } of some) done(`${item.what} done`);
    },
  });
  const outcomes = await Promise.all(['a', 'b', 'c'].map((what) => gathering.send({ what }, calm)));
  expect(outcomes).toEqual(['a done', 'b done', 'c done']);
  expect(carried).toEqual([['a', 'b'], ['c']]);
  await gathering.send({ what: 'd' }, calm);
  expect(carried.at(-1)).toEqual(['d']);
});

test('what goes wrong is the outcome of all who have none, and of nobody in another request', async () => {
  const gathering = new Gathering<Item, string>({
    divide: twos,
    carry: async ([first, ...others]) => {
      first?.done('done');
      if (others.length > 0) throw new TargetError('unavailable', 'cut off');
    },
  });
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((what) => gathering.send({ what }, calm)));
  expect(outcomes).toMatchObject([{ value: 'done' }, { reason: { message: 'cut off' } }, { value: 'done' }]);
});

test('whoever gives up waits no longer: before it goes nothing was done, afterwards nobody knows', async () => {
  const patience = new AbortController();
  const begun = Promise.withResolvers<readonly Waiting<Item, string>[]>();
  const gathering = new Gathering<Item, string>({
    divide: (all) => [all],
    carry: async (some) => begun.resolve(some),
  });
  const early = new AbortController();
  const outcomes = Promise.allSettled([
    gathering.send({ what: 'a' }, early.signal),
    gathering.send({ what: 'b' }, patience.signal),
    gathering.send({ what: 'c' }, calm),
    gathering.send({ what: 'd' }, AbortSignal.abort()),
  ]);
  early.abort();
  const some = await begun.promise;
  expect(whats(some)).toEqual(['b', 'c']);
  patience.abort();
  some[1]?.done('done');
  expect(await outcomes).toMatchObject([
    { reason: { kind: 'unavailable', unsure: false, message: 'a: given up before it was sent' } },
    { reason: { kind: 'unavailable', unsure: true, message: 'b: given up before the answer to what it went with' } },
    { value: 'done' },
    { reason: { kind: 'unavailable', unsure: false } },
  ]);
});
