/** What every kind of target must do, whatever it speaks: each kind runs these tests against a real server of its own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Attributes, RemoteState, Target } from '../../src/targets/target.ts';

/** A kind of target with a real server behind it. */
export interface Bench {
  readonly target: Target;
  readonly entity: string;
  /** The attribute that `attributes` fills with its second argument: single-valued text. */
  readonly title: string;
  /** An attribute of `attributes` that is unique to the name, for finding the entry. */
  readonly unique: string;
  /** The remote id of a name. */
  id(name: string): string;
  /** Attributes of an entry of that name that the server accepts. */
  attributes(name: string, title?: string): Attributes;
  /** The entry as another client sees it: the values of its title, undefined where there is no entry. */
  titles(name: string): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

export function conformance(kind: string, createBench: () => Promise<Bench>): void {
  describe(`a target of kind ${kind}`, () => {
    let bench: Bench;
    const signal = AbortSignal.timeout(60_000);
    const create = (name: string, title = 'first') => {
      const { entity } = bench;
      const change = {
        operation: 'create',
        entity,
        remoteId: bench.id(name),
        attributes: bench.attributes(name, title),
      } as const;
      return bench.target.apply(change, signal);
    };
    const retitle = (values: readonly string[]) => [{ attribute: bench.title, action: 'replace', values }] as const;
    const read = (name: string, stableId?: string) =>
      bench.target.read?.({ remoteId: bench.id(name), ...(stableId && { stableId }) }, [bench.title], signal);

    beforeAll(async () => {
      bench = await createBench();
    });
    afterAll(() => bench.close());

    test('says that it is there, and the same identity each time', async () => {
      const first = await bench.target.ping(signal);
      expect(first.summary).not.toBe('');
      expect((await bench.target.ping(signal)).identity).toBe(first.identity);
    });

    test('creates an entry and reads it back', async () => {
      const made = await create('amina');
      expect(made.remoteId).toBe(bench.id('amina'));
      expect(await bench.titles('amina')).toEqual(['first']);
      const state = await read('amina');
      expect(state?.attributes).toEqual({ [bench.title]: ['first'] });
      expect(state?.stableId).toBe(made.stableId);
    });

    test('refuses to create an entry twice', async () => {
      await create('twice');
      await expect(create('twice', 'second')).rejects.toMatchObject({ kind: 'exists', unsure: false });
      expect(await bench.titles('twice')).toEqual(['first']);
    });

    test('changes and clears attributes', async () => {
      const { remoteId } = await create('changed');
      const update = { operation: 'update', entity: bench.entity, remoteId } as const;
      await bench.target.apply({ ...update, changes: retitle(['second']) }, signal);
      expect(await bench.titles('changed')).toEqual(['second']);
      await bench.target.apply({ ...update, changes: retitle([]) }, signal);
      expect(await bench.titles('changed')).toEqual([]);
    });

    test('renames an entry and changes it in the same breath', async () => {
      const { remoteId, stableId } = await create('before');
      const renameTo = bench.id('after');
      const change = {
        operation: 'update',
        entity: bench.entity,
        remoteId,
        renameTo,
        changes: retitle(['renamed']),
      } as const;
      expect(await bench.target.apply(change, signal)).toEqual({ remoteId: renameTo, ...(stableId && { stableId }) });
      expect(await bench.titles('before')).toBeUndefined();
      expect(await bench.titles('after')).toEqual(['renamed']);
    });

    test('refuses to rename an entry to a name that is taken', async () => {
      const { remoteId } = await create('mine');
      await create('yours');
      const change = {
        operation: 'update',
        entity: bench.entity,
        remoteId,
        renameTo: bench.id('yours'),
        changes: [],
      } as const;
      await expect(bench.target.apply(change, signal)).rejects.toMatchObject({ kind: 'exists' });
    });

    test('swaps two names by way of a third', async () => {
      const one = await create('one', 'was one');
      const two = await create('two', 'was two');
      const aside = bench.target.aside(one.remoteId, '42');
      expect(bench.target.aside(one.remoteId, '42')).toBe(aside);
      expect(bench.target.aside(one.remoteId, '43')).not.toBe(aside);
      const rename = (remoteId: string, renameTo: string) =>
        bench.target.apply({ operation: 'update', entity: bench.entity, remoteId, renameTo, changes: [] }, signal);
      await rename(one.remoteId, aside);
      await rename(two.remoteId, one.remoteId);
      await rename(aside, two.remoteId);
      expect(await bench.titles('one')).toEqual(['was two']);
      expect(await bench.titles('two')).toEqual(['was one']);
    });

    test('removes an entry; removing it again is no failure', async () => {
      const { remoteId, stableId } = await create('removed');
      const remove = { operation: 'remove', entity: bench.entity, remoteId, ...(stableId && { stableId }) } as const;
      await bench.target.apply(remove, signal);
      expect(await bench.titles('removed')).toBeUndefined();
      await expect(bench.target.apply(remove, signal)).resolves.toMatchObject({ remoteId });
      expect(await read('removed', stableId)).toBeUndefined();
    });

    test('says that an entry to be changed is gone', async () => {
      const change = {
        operation: 'update',
        entity: bench.entity,
        remoteId: bench.id('never'),
        changes: retitle(['x']),
      } as const;
      await expect(bench.target.apply(change, signal)).rejects.toMatchObject({ kind: 'gone', unsure: false });
    });

    test('finds the entries of many identities with one question', async () => {
      await Promise.all(['found1', 'found2'].map((name) => create(name)));
      const matches = ['found1', 'found2', 'missing'].map((name) => {
        const [value = ''] = bench.attributes(name)[bench.unique] ?? [];
        return { key: name, entity: bench.entity, where: { [bench.unique]: value } };
      });
      const found = await bench.target.find?.(matches, [bench.title], signal);
      expect([...(found ?? [])].map(([key, states]) => [key, states.map((state) => state.attributes)]).sort()).toEqual([
        ['found1', [{ [bench.title]: ['first'] }]],
        ['found2', [{ [bench.title]: ['first'] }]],
      ]);
    });

    test('shows every entry of an entity', async () => {
      const names = Array.from({ length: 12 }, (_, at) => `scan${at}`);
      await Promise.all(names.map((name) => create(name)));
      const seen: RemoteState[] = [];
      for await (const state of bench.target.scan?.(bench.entity, [bench.title], signal) ?? []) seen.push(state);
      const ids = seen.map((state) => bench.target.normalise(state.remoteId));
      for (const name of names)
        expect(ids.filter((id) => id === bench.target.normalise(bench.id(name)))).toHaveLength(1);
    });

    test('does nothing for whoever has given up already', async () => {
      const change = {
        operation: 'create',
        entity: bench.entity,
        remoteId: bench.id('late'),
        attributes: bench.attributes('late'),
      } as const;
      await expect(bench.target.apply(change, AbortSignal.abort())).rejects.toMatchObject({
        kind: 'unavailable',
        unsure: false,
      });
      expect(await bench.titles('late')).toBeUndefined();
    });

    test('takes sets of values for equal in any order', () => {
      expect(bench.target.same(bench.title, ['a', 'b'], ['b', 'a'])).toBe(true);
      expect(bench.target.same(bench.title, ['a'], ['b'])).toBe(false);
      expect(bench.target.same(bench.title, [], [])).toBe(true);
    });
  });
}
