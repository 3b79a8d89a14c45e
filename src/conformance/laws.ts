/** What must hold of `same`, `normalise` and `aside`, whatever they are given. */
import assert from 'node:assert/strict';
import type { Target } from '../targets/target.ts';
import type { Case } from './case.ts';
import { hardNames } from './names.ts';
import { hardValues } from './values.ts';

/** Two values, or two sets of them, are the same or not whichever comes first and in whatever order; each is itself. */
export function lawOfSame({ same }: Bound, attribute: string, left: readonly string[], right: readonly string[]): void {
  assert.equal(same(attribute, left, left), true, 'values are not the same as themselves');
  assert.equal(same(attribute, left, right), same(attribute, right, left), 'it matters which come first');
  assert.equal(same(attribute, left, left.toReversed()), true, 'the order of values matters');
  assert.equal(same(attribute, left, []), left.length === 0, 'values are the same as none');
}

/** An id in its form is in its form; what is refused is refused as `rejected`. Answers with the form. */
export function lawOfNormalise({ normalise }: Bound, remoteId: string): string | undefined {
  const form = formOf(normalise, remoteId);
  if (form !== undefined) assert.equal(formOf(normalise, form), form, `${JSON.stringify(form)} has another form again`);
  return form;
}

/** The name aside is the key's own, the same each time, another than the one that it frees, and one that can be taken. */
export function lawOfAside({ normalise, aside }: Bound, remoteId: string, keys: readonly [string, string]): void {
  const [one, other] = keys.map((key) => normalise(aside(remoteId, key)));
  assert.equal(normalise(aside(remoteId, keys[0])), one);
  assert.notEqual(one, normalise(remoteId));
  if (keys[0] !== keys[1]) assert.notEqual(one, other, 'two keys step aside to one name');
}

/** The three, of a target. */
export type Bound = Pick<Target, 'same' | 'normalise' | 'aside'>;

export function bind(target: Target): Bound {
  return {
    same: (attribute, left, right) => target.same(attribute, left, right),
    normalise: (remoteId) => target.normalise(remoteId),
    aside: (remoteId, key) => target.aside(remoteId, key),
  };
}

function formOf(normalise: Bound['normalise'], remoteId: string): string | undefined {
  try {
    return normalise(remoteId);
  } catch (error) {
    assert.ok(error instanceof Error && 'kind' in error && error.kind === 'rejected', `it threw ${error}`);
    return undefined;
  }
}

export const laws: readonly Case[] = [
  {
    name: 'takes sets of values for equal in any order, and only then',
    needs: [],
    async run({ target, title }) {
      assert.equal(target.same(title, ['a', 'b'], ['b', 'a']), true);
      assert.equal(target.same(title, ['a'], ['b']), false);
      assert.equal(target.same(title, ['a', 'b'], ['a']), false);
      assert.equal(target.same(title, [], []), true);
      const values = Object.values(hardValues).filter(({ length }) => length < 1000);
      for (const one of values)
        for (const other of values) lawOfSame(bind(target), title, [one, 'x'], [other, 'x', 'y']);
    },
  },
  {
    name: 'has one form of each remote id, and a name aside for each key',
    needs: [],
    async run({ target, id, refused }) {
      for (const name of Object.values(hardNames)) {
        if (refused?.has(name)) continue;
        assert.notEqual(lawOfNormalise(bind(target), id(name)), undefined, `it refuses ${JSON.stringify(name)}`);
        lawOfAside(bind(target), id(name), ['42', '{"a","b"}']);
      }
    },
  },
];
