/**
 * Random histories: what several applications do to the registry at the same time, and what goes wrong meanwhile. A
 * history is plain data, so that its seed gives it again and a failing one can be printed.
 */
import fc from 'fast-check';

/** The mappings that `apply` changes between; the last word is always `plain`. */
export const mappings = ['plain', 'named backwards', 'without rooms', 'elsewhere'] as const;
export type MappingName = (typeof mappings)[number];

const ids = Array.from({ length: 7 }, (_, index) => index + 1);
const id = fc.constantFrom(...ids);
const team = fc.constantFrom(1, 2, 3);
const uid = fc.constantFrom('ada', 'bob', 'cleo', 'dora', 'eve', 'finn', 'gina', 'hugo', 'ines', 'Jo, Ann', 'ka+rl');
const optional = (...words: readonly string[]) => fc.option(fc.constantFrom(...words));
const values = fc.record({
  surname: fc.constantFrom('Rossi', 'Bianchi', 'Verdi'),
  room: optional('', '1', '2'),
  password: optional('secret', 'SECRET'),
});

/** One statement of an application. */
const change = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('insert' as const), id, uid, values }), weight: 5 },
  { arbitrary: fc.record({ do: fc.constant('update' as const), id, values }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('rename' as const), id, uid }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('delete' as const), id }), weight: 3 },
  { arbitrary: fc.record({ do: fc.constant('insert anew' as const), id, uid, values }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('swap' as const), id, other: id }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('change key' as const), id, to: id }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('exchange keys' as const), id, other: id }), weight: 1 },
  {
    arbitrary: fc.record({ do: fc.constant('move' as const), id, area: fc.constantFrom('people', 'former') }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('hide' as const), id, hidden: fc.boolean() }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('lose name' as const), id }), weight: 1 },
  {
    arbitrary: fc.record({ do: fc.constant('mail' as const), id, address: fc.constantFrom('a@b.it', 'c@d.it') }),
    weight: 2,
  },
  {
    arbitrary: fc.record({ do: fc.constant('found' as const), team, name: fc.constantFrom('red', 'blue', 'green') }),
    weight: 3,
  },
  { arbitrary: fc.record({ do: fc.constant('dissolve' as const), team }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('join' as const), team, id }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('leave' as const), team, id }), weight: 2 },
  {
    arbitrary: fc.record({
      do: fc.constant('crowd' as const),
      size: fc.integer({ min: 1, max: 80 }),
      room: optional('1', '2'),
    }),
    weight: 1,
  },
  { arbitrary: fc.record({ do: fc.constant('disperse' as const) }), weight: 1 },
  {
    arbitrary: fc.record({ do: fc.constant('truncate' as const), table: fc.constantFrom('member', 'email', 'person') }),
    weight: 1,
  },
);
export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const pause = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 250 }));

/** A transaction of an application: how it is isolated, how long it stays open after its changes, and how it ends. */
const transaction = fc.record({
  isolation: fc.constantFrom('read committed' as const, 'read committed' as const, 'serializable' as const),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  /** Milliseconds. */
  open: fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, { arbitrary: fc.integer({ min: 1, max: 1200 }), weight: 1 }),
  end: fc.constantFrom('commit' as const, 'commit' as const, 'commit' as const, 'commit' as const, 'rollback' as const),
  /** Milliseconds until the application's next transaction. */
  pause,
});
export type Transaction = typeof transaction extends fc.Arbitrary<infer T> ? T : never;

const daemon = fc.integer({ min: 0, max: 2 });
const away = fc.integer({ min: 50, max: 900 });
const long = fc.integer({ min: 50, max: 3200 });

/** What goes wrong. Milliseconds are how long it lasts. */
const mishap = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('kill a daemon' as const), daemon, away }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('stop a daemon' as const), daemon, away }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('freeze a daemon' as const), daemon, away: long }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('stop the directory' as const), away }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('kill the directory' as const), away }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('freeze the directory' as const), away: long }), weight: 3 },
  {
    arbitrary: fc.record({ do: fc.constant('end sessions' as const), every: fc.integer({ min: 1, max: 3 }) }),
    weight: 4,
  },
  { arbitrary: fc.record({ do: fc.constant('apply' as const), mapping: fc.constantFrom(...mappings) }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('cut the connections' as const) }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('half-close the connections' as const) }), weight: 1 },
  {
    arbitrary: fc.record({
      do: fc.constant('delay the answers' as const),
      by: fc.integer({ min: 20, max: 700 }),
      away,
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('rescan' as const) }), weight: 1 },
  {
    arbitrary: fc.record({
      do: fc.constant('restart the database' as const),
      mode: fc.constantFrom('fast' as const, 'immediate' as const),
      away: fc.integer({ min: 0, max: 500 }),
    }),
    weight: 1,
  },
);
export type Mishap = typeof mishap extends fc.Arbitrary<infer T> ? T : never;

/** Everything that happens between an empty registry and the moment when it is left in peace. */
export const history = fc.record({
  daemons: fc.integer({ min: 1, max: 3 }),
  slots: fc.integer({ min: 1, max: 3 }),
  batch: fc.constantFrom(1, 4, 50),
  /** Milliseconds that an answer of the directory takes. */
  latency: fc.constantFrom(0, 5, 30),
  applications: fc.array(fc.array(transaction, { minLength: 4, maxLength: 25 }), { minLength: 1, maxLength: 3 }),
  mishaps: fc.array(fc.record({ mishap, pause }), { minLength: 0, maxLength: 5 }),
});
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** The history as lines for a person. */
export function describeHistory({ daemons, slots, batch, latency, applications, mishaps }: History): string[] {
  const words = (value: object) => JSON.stringify(value).replaceAll('"', '');
  return [
    `${daemons} daemons, ${slots} slots, batches of ${batch}, answers after ${latency} ms`,
    ...applications.flatMap((transactions, index) =>
      transactions.map(
        ({ changes, isolation, open, end, pause }) =>
          `application ${index + 1}: ${isolation}, ${changes.map(words).join(' ')}, ${open} ms, ${end}; ${pause} ms`,
      ),
    ),
    ...mishaps.map(({ mishap, pause }) => `mishap: ${words(mishap)}; ${pause} ms`),
  ];
}
