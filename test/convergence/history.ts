/**
 * Random histories: what several applications do to the registry at the same time, and what goes wrong meanwhile. A
 * history is plain data, so that its seed gives it again and a failing one can be printed, kept in a file and made smaller.
 */
import fc from 'fast-check';
import { type ActWeights, actOf, everyAct } from './act.ts';
import { type ChangeWeights, everyChange, transactionOf } from './change.ts';
import { type Conduct, conductOf, type Means } from './conduct.ts';
import { everyMishap, type MishapWeights, mishapOf } from './mishap.ts';

/** Milliseconds before a mishap, or an act. */
const respite = fc.oneof(fc.integer({ min: 0, max: 250 }), fc.integer({ min: 0, max: 1500 }));

interface Range {
  readonly min: number;
  readonly max: number;
}

/** What histories are drawn from. */
export interface Nature {
  readonly changes?: ChangeWeights;
  readonly mishaps?: MishapWeights;
  /** How many transactions an application makes; default 1 to 25. */
  readonly transactions?: Range;
  /** How many mishaps there are; default 0 to 6. */
  readonly many?: Range;
  readonly acts?: ActWeights;
  /** How many acts there are; default 0 to 5. */
  readonly deeds?: Range;
  /** Milliseconds that an answer of a directory may take; default 0, 5 or 30. */
  readonly latency?: readonly number[];
  /** How many targets are followed; default 2 or 3. */
  readonly followed?: Range;
  /** How targets are dealt with; what is left out is drawn. */
  readonly conduct?: Partial<Conduct>;
}

/** Everything that happens between an empty registry and the moment when it is left in peace. */
export function historyOf({
  changes = everyChange,
  mishaps = everyMishap,
  transactions = { min: 1, max: 25 },
  many = { min: 0, max: 6 },
  acts = everyAct,
  deeds = { min: 0, max: 5 },
  latency = [0, 5, 30],
  followed = { min: 2, max: 3 },
  conduct = {},
}: Nature = {}) {
  return fc.noBias(
    fc.record({
      /** How many targets are followed, of `targetNames`. */
      targets: fc.integer(followed),
      daemons: fc.integer({ min: 1, max: 3 }),
      slots: fc.integer({ min: 1, max: 3 }),
      batch: fc.constantFrom(1, 4, 50),
      /** Milliseconds that an answer of a directory takes. */
      latency: fc.constantFrom(...latency),
      applications: fc.array(
        fc.array(transactionOf(changes), {
          minLength: transactions.min,
          maxLength: transactions.max,
          size: 'max',
        }),
        { minLength: 1, maxLength: 3, size: 'max' },
      ),
      mishaps: fc.array(fc.record({ mishap: mishapOf(mishaps), pause: respite }), {
        minLength: many.min,
        maxLength: many.max,
        size: 'max',
      }),
      acts: fc.array(fc.record({ act: actOf(acts), pause: respite }), {
        minLength: deeds.min,
        maxLength: deeds.max,
        size: 'max',
      }),
      conduct: conductOf(conduct),
    }),
  );
}
export type History = ReturnType<typeof historyOf> extends fc.Arbitrary<infer T> ? T : never;

/** Histories in which the target `lists` is written so. */
export function withLists(lists: Means): Nature {
  return { followed: { min: 3, max: 3 }, conduct: { lists, inhabited: false } };
}

/** The history of a seed. */
export function drawHistory(seed: number, nature: Nature = {}): History {
  const [drawn] = fc.sample(historyOf(nature), { seed, numRuns: 1 });
  if (!drawn) throw new Error('no history was drawn');
  return drawn;
}

/** A history that was written down as JSON. Throws where it is none. */
export function parseHistory(text: string): History {
  const parsed: unknown = JSON.parse(text);
  if (anyHistory.canShrinkWithoutContext(parsed)) return parsed;
  throw new Error('expected a history as a failing run prints it');
}

const anyHistory = historyOf();

/** The history as lines for a person. */
export function describeHistory(history: History): string[] {
  const { targets, daemons, slots, batch, latency, applications, mishaps, acts, conduct } = history;
  const words = (value: object) => JSON.stringify(value).replaceAll('"', '');
  return [
    `${targets} targets, ${daemons} daemons, ${slots} slots, batches of ${batch}, answers after ${latency} ms`,
    words(conduct),
    ...applications.flatMap((transactions, index) =>
      transactions.map(
        ({ changes, isolation, open, end, pause }) =>
          `application ${index + 1}: ${isolation}, ${changes.map(words).join(' ')}, ${open} ms, ${end}; ${pause} ms`,
      ),
    ),
    ...mishaps.map(({ mishap, pause }) => `mishap: ${words(mishap)}; ${pause} ms`),
    ...acts.map(({ act, pause }) => `act: ${words(act)}; ${pause} ms`),
  ];
}
