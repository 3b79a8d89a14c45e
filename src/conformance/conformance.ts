/**
 * The conformance suite: what every target must do, whatever it speaks. Each kind of target runs it against a real server of
 * its own; so can the author of one outside of this repository:
 *
 * ```ts
 * import { conformance } from 'staffetta/conformance';
 * conformance('my target', async () => ({ target, entity: 'person', … }));
 * ```
 *
 * and `node --test`. Another test runner takes `cases` and `perform`.
 */
import { after, before, describe, test } from 'node:test';
import type { Bench } from './bench.ts';
import { type Case, perform } from './case.ts';
import { doubt } from './doubt.ts';
import { failures } from './failures.ts';
import { laws } from './laws.ts';
import { closing, lifecycle } from './lifecycle.ts';
import { lookups } from './lookups.ts';
import { names } from './names.ts';
import { operations } from './operations.ts';
import { passwords } from './passwords.ts';
import { references } from './references.ts';
import { values } from './values.ts';

export type { Bench, Need, References, Trouble } from './bench.ts';
export { type Case, perform } from './case.ts';
export { openTarget } from './open-target.ts';

/** Every case, in order: one bench serves all of them, and the last ones close its target. */
export const cases: readonly Case[] = [
  ...lifecycle,
  ...operations,
  ...lookups,
  ...failures,
  ...doubt,
  ...names,
  ...values,
  ...references,
  ...passwords,
  ...laws,
  ...closing,
];

/** Runs the suite with Node's own test runner; what a bench cannot show is skipped, with its reason. */
export function conformance(kind: string, createBench: () => Promise<Bench>): void {
  describe(`a target of kind ${kind}`, () => {
    let bench: Bench | undefined;
    before(async () => {
      bench = await createBench();
    });
    after(() => bench?.close());
    for (const one of cases)
      test(one.name, async (context) => {
        if (!bench) throw new Error('there is no bench');
        const reason = await perform(one, bench);
        if (reason !== undefined) context.skip(reason);
      });
  });
}
