/** The conformance suite (`src/conformance`) under our own test runner, and its laws for any text there is. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Bench, cases, perform } from '../../src/conformance/conformance.ts';
import { bind, lawOfAside, lawOfNormalise, lawOfSame } from '../../src/conformance/laws.ts';

export type { Bench } from '../../src/conformance/conformance.ts';

/** Texts that look alike: of few letters, in both cases, with and without spaces and accents. */
const alike = fc.string({
  unit: fc.constantFrom('a', 'A', ' ', '  ', 'é', 'e\u0301', 'ß', 'SS', ',', '\\', '/'),
  minLength: 1,
  maxLength: 6,
});
const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), alike);
/** Keys come from PostgreSQL, which takes no NUL. */
const key = text.filter((given) => !given.includes('\0'));

export function conformance(kind: string, createBench: () => Promise<Bench>): void {
  describe(`a target of kind ${kind}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await createBench();
    });
    afterAll(() => bench.close());

    // Before the cases, the last of which closes the target.
    test('finds the same values the same whichever come first, whatever they are', () => {
      const values = fc.uniqueArray(text, { maxLength: 4 });
      fc.assert(fc.property(values, values, (left, right) => lawOfSame(bind(bench.target), bench.title, left, right)));
    });

    test('has one form of any remote id, and another one aside of it', () => {
      fc.assert(
        fc.property(text, key, key, (name, one, other) => {
          const target = bind(bench.target);
          lawOfNormalise(target, name);
          if (lawOfNormalise(target, bench.id(name)) !== undefined) lawOfAside(target, bench.id(name), [one, other]);
        }),
      );
    });

    for (const one of cases)
      test(one.name, async ({ skip }) => {
        const reason = await perform(one, bench);
        if (reason !== undefined) skip(reason);
      });
  });
}
