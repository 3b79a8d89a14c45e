/** Creating, changing, renaming and removing. */
import assert from 'node:assert/strict';
import { create, patience, remove, send, titled, update } from './carry.ts';
import type { Case } from './case.ts';

export const operations: readonly Case[] = [
  {
    name: 'creates an entry under the remote id that it is told',
    needs: [],
    async run(bench) {
      const { remoteId } = await create(bench, 'amina');
      assert.equal(remoteId, bench.id('amina'));
      assert.deepEqual(await bench.titles('amina'), ['first']);
    },
  },
  {
    name: 'changes and clears an attribute',
    needs: [],
    async run(bench) {
      const entry = await create(bench, 'changed');
      const second = await update(bench, entry, titled(bench, 'second'));
      assert.equal(second.remoteId, entry.remoteId);
      assert.equal(second.stableId ?? entry.stableId, entry.stableId);
      assert.deepEqual(await bench.titles('changed'), ['second']);
      const cleared = await update(bench, second, titled(bench));
      assert.deepEqual(await bench.titles('changed'), []);
      await update(bench, cleared, titled(bench, 'third'));
      assert.deepEqual(await bench.titles('changed'), ['third']);
    },
  },
  {
    name: 'clears what is clear already, and writes what is there already',
    needs: [],
    async run(bench) {
      const entry = await create(bench, 'calm');
      const same = await update(bench, entry, titled(bench, 'first'));
      assert.deepEqual(await bench.titles('calm'), ['first']);
      const cleared = await update(bench, same, titled(bench));
      await update(bench, cleared, titled(bench));
      assert.deepEqual(await bench.titles('calm'), []);
    },
  },
  {
    name: 'changes nothing where nothing is to be changed',
    needs: [],
    async run(bench) {
      const entry = await create(bench, 'still');
      const { remoteId } = await update(bench, entry, []);
      assert.equal(remoteId, entry.remoteId);
      assert.deepEqual(await bench.titles('still'), ['first']);
    },
  },
  {
    name: 'renames an entry and changes it in the same breath',
    needs: ['rename'],
    async run(bench) {
      const entry = await create(bench, 'before');
      const renamed = await update(bench, entry, titled(bench, 'renamed'), { to: 'after' });
      assert.equal(renamed.remoteId, bench.id('after'));
      assert.equal(renamed.stableId, entry.stableId);
      assert.equal(await bench.titles('before'), undefined);
      assert.deepEqual(await bench.titles('after'), ['renamed']);
    },
  },
  {
    name: 'swaps two names by way of a third',
    needs: ['rename'],
    async run(bench) {
      const one = await create(bench, 'one', 'was one');
      const two = await create(bench, 'two', 'was two');
      const aside = bench.target.aside(one.remoteId, '42');
      const move = (entry: { remoteId: string; attributes: typeof one.attributes }, renameTo: string) =>
        send(
          bench,
          { operation: 'update', entity: bench.entity, remoteId: entry.remoteId, renameTo, changes: [] },
          { desired: entry.attributes, written: entry.attributes },
        );
      await move(one, aside);
      await move(two, one.remoteId);
      await move({ ...one, remoteId: aside }, two.remoteId);
      assert.deepEqual(await bench.titles('one'), ['was two']);
      assert.deepEqual(await bench.titles('two'), ['was one']);
    },
  },
  {
    name: 'removes an entry; removing it again is no failure',
    needs: [],
    async run(bench) {
      const entry = await create(bench, 'removed');
      await remove(bench, entry);
      assert.equal(await bench.titles('removed'), undefined);
      assert.equal((await remove(bench, entry)).remoteId, entry.remoteId);
    },
  },
  {
    name: 'creates again what was removed',
    needs: [],
    async run(bench) {
      await remove(bench, await create(bench, 'phoenix', 'first life'));
      await create(bench, 'phoenix', 'second life');
      assert.deepEqual(await bench.titles('phoenix'), ['second life']);
    },
  },
  {
    name: 'makes many changes at once, each of its own entry',
    needs: [],
    async run(bench) {
      const names = Array.from({ length: 40 }, (_, at) => `crowd${at}`);
      const entries = await Promise.all(names.map((name) => create(bench, name, `of ${name}`)));
      for (const name of names) assert.deepEqual(await bench.titles(name), [`of ${name}`]);
      await Promise.all(
        entries.map((entry, at) => (at % 2 ? remove(bench, entry) : update(bench, entry, titled(bench, `new ${at}`)))),
      );
      for (const [at, name] of names.entries())
        assert.deepEqual(await bench.titles(name), at % 2 ? undefined : [`new ${at}`]);
      await bench.target.ping(patience());
    },
  },
];
