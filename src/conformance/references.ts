/** Entries that refer to others: a group and its members. */
import assert from 'node:assert/strict';
import type { AttributeChange } from '../targets/target.ts';
import type { Bench, References } from './bench.ts';
import { address, create, type Entry, send } from './carry.ts';
import type { Case } from './case.ts';

/** Members and their holder, as the engine sends them: what stands for a member is its remote id, or its stable id. */
class Group {
  readonly #bench: Bench;
  readonly #references: References;
  #holder: { readonly remoteId: string; readonly stableId?: string } | undefined;
  readonly #name: string;
  #members: readonly string[] = [];

  constructor(bench: Bench, name: string) {
    this.#bench = bench;
    this.#references = bench.references ?? assert.fail('the bench has no references');
    this.#name = name;
  }

  async create(members: readonly Entry[]): Promise<void> {
    const { entity, id } = this.#references;
    this.#members = members.map((member) => this.#refer(member));
    const attributes = this.#attributes();
    const change = { operation: 'create', entity, remoteId: id(this.#name), attributes } as const;
    this.#holder = address(await send(this.#bench, change, { desired: attributes, written: {} }));
  }

  async change(action: AttributeChange['action'], members: readonly Entry[]): Promise<void> {
    const { entity, attribute } = this.#references;
    const values = members.map((member) => this.#refer(member));
    const written = this.#attributes();
    const left = this.#members.filter((member) => !values.includes(member));
    this.#members = action === 'replace' ? values : action === 'add' ? [...left, ...values] : left;
    const holder = this.#holder ?? assert.fail('the group is not there yet');
    const changes = [{ attribute, action, values }];
    const change = { operation: 'update', entity, ...address(holder), changes } as const;
    await send(this.#bench, change, { desired: this.#attributes(), written });
  }

  /** Asserts that another client sees exactly these members, and so does the target. */
  async has(members: readonly Entry[]): Promise<void> {
    const { members: seen, attribute } = this.#references;
    const expected = this.#sorted(members.map((member) => this.#refer(member)));
    assert.deepEqual(this.#sorted((await seen(this.#name)) ?? []), expected);
    if (!this.#bench.target.read || !this.#holder) return;
    const state = await this.#bench.target.read(this.#holder, [attribute], AbortSignal.timeout(20_000));
    const values = (state?.attributes[attribute] ?? []).map((value) =>
      typeof value === 'string' ? value : value.base64,
    );
    assert.deepEqual(this.#sorted(values), expected);
  }

  #attributes() {
    const { attribute, attributes } = this.#references;
    const own = attributes(this.#name);
    return this.#members.length === 0 ? own : { ...own, [attribute]: this.#members };
  }

  #sorted(values: readonly string[]): string[] {
    const { target } = this.#bench;
    const normalise = (value: string) => (target.normaliseReference ?? target.normalise).call(target, value);
    return values.map(normalise).sort();
  }

  #refer({ remoteId, stableId }: Entry): string {
    if (this.#references.by !== 'stable id') return remoteId;
    return stableId ?? assert.fail(`${remoteId} was given no stable id, by which the target refers to it`);
  }
}

function crowd(bench: Bench, prefix: string, size: number): Promise<Entry[]> {
  return Promise.all(Array.from({ length: size }, (_, at) => create(bench, `${prefix}${at}`)));
}

export const references: readonly Case[] = [
  {
    name: 'gives an entry members, and changes single ones of them',
    needs: ['references'],
    async run(bench) {
      const [one, two, three] = await crowd(bench, 'member', 3);
      assert.ok(one && two && three);
      const group = new Group(bench, 'group');
      await group.create([one, two]);
      await group.has([one, two]);
      await group.change('add', [three]);
      await group.has([one, two, three]);
      await group.change('delete', [one]);
      await group.has([two, three]);
      await group.change('replace', [one]);
      await group.has([one]);
    },
  },
  {
    name: 'gives an entry 250 members, and takes most of them away again',
    needs: ['references'],
    async run(bench) {
      const members = await crowd(bench, 'many', 250);
      const [first, ...others] = members;
      assert.ok(first);
      const group = new Group(bench, 'crowd');
      await group.create([first]);
      await group.change('add', others);
      await group.has(members);
      await group.change('delete', others.slice(1));
      await group.has(members.slice(0, 2));
    },
  },
  {
    name: 'refers to members with hard names',
    needs: ['references'],
    async run(bench) {
      const hard = [`Rossi, "Anna" \\ +`, 'a/b?c#d%20', 'é <x> {y} (z)*'];
      const members = await Promise.all(hard.map((name) => create(bench, name)));
      const group = new Group(bench, 'hard');
      await group.create(members);
      await group.has(members);
    },
  },
];
