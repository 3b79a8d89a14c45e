/** What may have been done although it failed. */
import assert from 'node:assert/strict';
import type { Bench } from './bench.ts';
import { create, type Entry, read, remove, titled, update } from './carry.ts';
import { type Case, LeftOut } from './case.ts';
import { fails } from './refusal.ts';

/** A change of which the answer is lost, and how the title then is. */
interface Lost {
  readonly operation: string;
  before(bench: Bench): Promise<Entry | undefined>;
  make(bench: Bench, entry: Entry | undefined): Promise<unknown>;
  readonly titles: readonly string[] | undefined;
}

const existing = (bench: Bench) => create(bench, 'lost');
const given = (entry: Entry | undefined) => entry ?? assert.fail('there is no entry');

const changes: readonly Lost[] = [
  { operation: 'creation', before: async () => undefined, make: existing, titles: ['first'] },
  {
    operation: 'change',
    before: existing,
    make: (bench, entry) => update(bench, given(entry), titled(bench, 'second')),
    titles: ['second'],
  },
  { operation: 'removal', before: existing, make: (bench, entry) => remove(bench, given(entry)), titles: undefined },
];

/** In doubt, a target that can be read is read, any other is told the same once more. */
async function afterwards(bench: Bench, { make, titles }: Lost, entry: Entry | undefined): Promise<void> {
  if (!bench.target.read) await make(bench, entry);
  assert.deepEqual(await bench.titles('lost'), titles);
  if (!bench.target.read) return;
  const state = await read(bench, entry ?? { remoteId: bench.id('lost') });
  assert.deepEqual(state?.attributes[bench.title], titles);
}

export const doubt: readonly Case[] = [
  ...changes.map(
    (lost): Case => ({
      name: `is unsure of a ${lost.operation} whose answer was lost`,
      needs: ['loseAnswer'],
      async run(bench) {
        const entry = await lost.before(bench);
        const trouble = await bench.loseAnswer?.();
        try {
          await fails(bench, lost.make(bench, entry), { kind: ['unavailable', 'unknown'], unsure: true });
        } finally {
          await trouble?.over?.();
        }
        await afterwards(bench, lost, entry);
        if (lost.titles) await remove(bench, entry ?? { name: 'lost', remoteId: bench.id('lost'), attributes: {} });
      },
    }),
  ),
  {
    name: 'gives up in time on what is never answered, and is unsure of it',
    needs: ['hang'],
    async run(bench) {
      const entry = await create(bench, 'waiting');
      const trouble = await bench.hang?.();
      const begin = performance.now();
      try {
        const late = update(bench, entry, titled(bench, 'late'), { signal: AbortSignal.timeout(500) });
        await fails(bench, late, { kind: 'unavailable', unsure: true });
        assert.ok(performance.now() - begin < 5000, `it took ${performance.now() - begin} ms to give up after 500`);
      } finally {
        await trouble?.over?.();
      }
      await update(bench, entry, titled(bench, 'in the end'));
      assert.deepEqual(await bench.titles('waiting'), ['in the end']);
    },
  },
  {
    name: 'takes every change twice, since it cannot be asked whether it came through',
    needs: [],
    async run(bench) {
      if (bench.target.read) throw new LeftOut('it can be read: nothing is sent twice');
      const entry = await create(bench, 'again');
      await create(bench, 'again');
      assert.deepEqual(await bench.titles('again'), ['first']);
      const changed = await update(bench, entry, titled(bench, 'second'));
      await update(bench, entry, titled(bench, 'second'));
      assert.deepEqual(await bench.titles('again'), ['second']);
      await remove(bench, changed);
      await remove(bench, changed);
      assert.equal(await bench.titles('again'), undefined);
    },
  },
];
