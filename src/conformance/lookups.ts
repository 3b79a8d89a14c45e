/** Reading one entry, finding those that match, and seeing all. */
import assert from 'node:assert/strict';
import type { RemoteState } from '../targets/target.ts';
import type { Bench } from './bench.ts';
import { create, patience, read, remove, titled, update } from './carry.ts';
import { type Case, LeftOut } from './case.ts';

const attributesOf = (states: readonly RemoteState[] | undefined) => states?.map(({ attributes }) => attributes);

/** All that a scan shows, by normalised remote id. */
async function scan({ target, entity, title }: Bench): Promise<Map<string, RemoteState>> {
  const seen = new Map<string, RemoteState>();
  for await (const state of target.scan?.(entity, [title], patience()) ?? []) {
    const id = target.normalise(state.remoteId);
    assert.ok(!seen.has(id), `${state.remoteId} was shown twice`);
    seen.set(id, state);
  }
  return seen;
}

/** The value by which the entry of a name is found. */
function matchFor(bench: Bench, name: string) {
  return bench.attributes(name)[bench.unique]?.[0] ?? assert.fail(`the bench has no ${bench.unique} for ${name}`);
}

/** Two entries, of which the second has the name that the first had once. */
async function displaced(bench: Bench, name: string) {
  const first = await create(bench, name, 'first');
  if (first.stableId === undefined) throw new LeftOut('stable id: the target gives none');
  const elsewhere = await update(bench, first, [], { to: `${name}-elsewhere` });
  const second = await create(bench, name, 'second');
  return { first, elsewhere, second };
}

export const lookups: readonly Case[] = [
  {
    name: 'reads back what it created, and only the attributes that were asked for',
    needs: ['read'],
    async run(bench) {
      const made = await create(bench, 'readable');
      const state = await read(bench, made);
      assert.equal(state?.remoteId, made.remoteId);
      assert.equal(state.stableId, made.stableId);
      assert.deepEqual(state.attributes, { [bench.title]: ['first'] });
      const cleared = await update(bench, made, titled(bench));
      assert.deepEqual((await read(bench, cleared))?.attributes, {});
    },
  },
  {
    name: 'reads what is not there as not there',
    needs: ['read'],
    async run(bench) {
      assert.equal(await read(bench, { remoteId: bench.id('nobody') }), undefined);
      const entry = await create(bench, 'shortlived');
      await remove(bench, entry);
      assert.equal(await read(bench, entry), undefined);
      assert.equal(await read(bench, { remoteId: entry.remoteId }), undefined);
    },
  },
  {
    name: 'reads an entry by its stable id wherever it is, and else who has its name',
    needs: ['read', 'rename'],
    async run(bench) {
      const { first, elsewhere, second } = await displaced(bench, 'moved');
      assert.equal((await read(bench, first))?.remoteId, elsewhere.remoteId);
      await remove(bench, elsewhere);
      const found = await read(bench, first);
      assert.equal(found?.stableId, second.stableId);
      assert.deepEqual(found?.attributes, { [bench.title]: ['second'] });
    },
  },
  {
    name: 'does not remove an entry that only has the name of the one that is meant',
    needs: ['rename'],
    async run(bench) {
      const { first } = await displaced(bench, 'mistaken');
      await remove(bench, first);
      assert.deepEqual(await bench.titles('mistaken'), ['second']);
    },
  },
  {
    name: 'does not change an entry that only has the name of the one that is meant',
    needs: ['rename', 'stable id'],
    async run(bench) {
      const { first } = await displaced(bench, 'confused');
      await update(bench, first, titled(bench, 'changed')).catch((error: unknown) => {
        if (!(error instanceof Error && 'kind' in error && error.kind === 'gone')) throw error;
      });
      assert.deepEqual(await bench.titles('confused'), ['second']);
    },
  },
  {
    name: 'finds the entries of many identities with one question',
    needs: ['find'],
    async run(bench) {
      const { target, entity, unique, title } = bench;
      await Promise.all(['found1', 'found2'].map((name) => create(bench, name)));
      const matches = ['found1', 'found2', 'missing'].map((name) => ({
        key: `key of ${name}`,
        entity,
        where: { [unique]: matchFor(bench, name) },
      }));
      const found = await target.find?.(matches, [title], patience());
      assert.deepEqual([...(found?.keys() ?? [])].sort(), ['key of found1', 'key of found2']);
      assert.deepEqual(attributesOf(found?.get('key of found1')), [{ [title]: ['first'] }]);
      assert.deepEqual(
        found?.get('key of found2')?.map(({ remoteId }) => remoteId),
        [bench.id('found2')],
      );
      assert.equal((await target.find?.([], [title], patience()))?.size, 0);
    },
  },
  {
    name: 'finds only entries of which everything matches',
    needs: ['find'],
    async run(bench) {
      const { target, entity, unique, title } = bench;
      await create(bench, 'exact', 'right');
      const where = (value: string) => ({ [unique]: matchFor(bench, 'exact'), [title]: value });
      const ask = async (value: string) =>
        (await target.find?.([{ key: '1', entity, where: where(value) }], [title], patience()))?.get('1') ?? [];
      assert.equal((await ask('wrong')).length, 0);
      assert.equal((await ask('right')).length, 1);
    },
  },
  {
    name: 'finds several entries that match one identity',
    needs: ['find'],
    async run(bench) {
      const { target, entity, title } = bench;
      await Promise.all(['twin1', 'twin2'].map((name) => create(bench, name, 'a title of twins')));
      const found = await target.find?.(
        [{ key: '1', entity, where: { [title]: 'a title of twins' } }],
        [title],
        patience(),
      );
      const ids = found?.get('1')?.map(({ remoteId }) => remoteId);
      assert.deepEqual(ids?.sort(), [bench.id('twin1'), bench.id('twin2')].sort());
    },
  },
  {
    name: 'shows every entry of an entity once, as it is',
    needs: ['scan'],
    async run(bench) {
      const before = await scan(bench);
      const names = Array.from({ length: 120 }, (_, at) => `scan${at}`);
      const made = await Promise.all(names.map((name) => create(bench, name, `title of ${name}`)));
      const after = await scan(bench);
      assert.equal(after.size, before.size + names.length);
      for (const { name, remoteId, stableId } of made) {
        const state = after.get(bench.target.normalise(remoteId));
        assert.deepEqual(state?.attributes, { [bench.title]: [`title of ${name}`] });
        assert.equal(state?.stableId, stableId);
      }
      await Promise.all(made.slice(1).map((entry) => remove(bench, entry)));
      assert.equal((await scan(bench)).size, before.size + 1);
    },
  },
];
