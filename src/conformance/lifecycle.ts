/** The target as a whole: that it is there, gives up when it is told to, and closes. */
import assert from 'node:assert/strict';
import { TargetError } from '../targets/target.ts';
import { create, patience, read, remove, titled, update } from './carry.ts';
import type { Case } from './case.ts';
import { fails } from './refusal.ts';

const givenUp = { kind: 'unavailable', unsure: false } as const;

export const lifecycle: readonly Case[] = [
  {
    name: 'says that it is there, and the same identity each time',
    needs: [],
    async run({ target }) {
      const first = await target.ping(patience());
      assert.notEqual(first.summary, '');
      assert.notEqual(first.identity, '');
      assert.equal((await target.ping(patience())).identity, first.identity);
      const [one, other] = await Promise.all([target.ping(patience()), target.ping(patience())]);
      assert.equal(one.identity, other.identity);
    },
  },
  {
    name: 'does nothing for whoever has given up already',
    needs: [],
    async run(bench) {
      const kept = await create(bench, 'kept');
      const signal = AbortSignal.abort();
      await fails(bench, create(bench, 'late', 'late', { signal }), givenUp);
      await fails(bench, update(bench, kept, titled(bench, 'late'), { signal }), givenUp);
      await fails(bench, remove(bench, kept, signal), givenUp);
      assert.equal(await bench.titles('late'), undefined);
      assert.deepEqual(await bench.titles('kept'), ['first']);
    },
  },
  {
    name: 'looks for nothing for whoever has given up already',
    needs: ['read'],
    async run(bench) {
      const { target, entity, unique, title } = bench;
      const { remoteId } = await create(bench, 'unread');
      const signal = AbortSignal.abort();
      if (target.read) await fails(bench, target.read({ remoteId }, [title], signal), givenUp);
      const match = { key: '1', entity, where: { [unique]: 'x' } };
      if (target.find) await fails(bench, target.find([match], [title], signal), givenUp);
      if (target.scan) await fails(bench, Array.fromAsync(target.scan(entity, [title], signal)), givenUp);
    },
  },
];

/** The end: nothing is asked of the bench any more. */
export const closing: readonly Case[] = [
  {
    name: 'closes, twice if need be, and lets nobody wait who comes later',
    needs: [],
    async run(bench) {
      const { remoteId } = await create(bench, 'closing');
      await bench.target.close();
      await bench.target.close();
      await read(bench, { remoteId }).catch((error: unknown) =>
        assert.ok(error instanceof Error && error.name === TargetError.name, `expected a TargetError: ${error}`),
      );
      await bench.target.close();
    },
  },
];
