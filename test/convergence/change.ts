/** What applications do to the registry, as plain data: statements, and the transactions that they stand in. */
import fc from 'fast-check';
import { type Weights, weighted } from './weighted.ts';

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

const changes = {
  insert: fc.record({ do: fc.constant('insert' as const), id, uid, values }),
  update: fc.record({ do: fc.constant('update' as const), id, values }),
  rename: fc.record({ do: fc.constant('rename' as const), id, uid }),
  delete: fc.record({ do: fc.constant('delete' as const), id }),
  'insert anew': fc.record({
    do: fc.constant('insert anew' as const),
    id,
    uid,
    values,
  }),
  swap: fc.record({ do: fc.constant('swap' as const), id, other: id }),
  'change key': fc.record({
    do: fc.constant('change key' as const),
    id,
    to: id,
  }),
  'exchange keys': fc.record({
    do: fc.constant('exchange keys' as const),
    id,
    other: id,
  }),
  move: fc.record({
    do: fc.constant('move' as const),
    id,
    area: fc.constantFrom('people', 'former'),
  }),
  hide: fc.record({
    do: fc.constant('hide' as const),
    id,
    hidden: fc.boolean(),
  }),
  'hire until': fc.record({
    do: fc.constant('hire until' as const),
    id,
    /** Milliseconds. */
    after: fc.integer({ min: 0, max: 3000 }),
  }),
  'hire for good': fc.record({ do: fc.constant('hire for good' as const), id }),
  'lose name': fc.record({ do: fc.constant('lose name' as const), id }),
  mail: fc.record({
    do: fc.constant('mail' as const),
    id,
    address: fc.constantFrom('a@b.it', 'c@d.it'),
  }),
  found: fc.record({
    do: fc.constant('found' as const),
    team,
    name: fc.constantFrom('red', 'blue', 'green'),
  }),
  dissolve: fc.record({ do: fc.constant('dissolve' as const), team }),
  join: fc.record({ do: fc.constant('join' as const), team, id }),
  leave: fc.record({ do: fc.constant('leave' as const), team, id }),
  crowd: fc.record({
    do: fc.constant('crowd' as const),
    size: fc.integer({ min: 1, max: 80 }),
    room: optional('1', '2'),
  }),
  disperse: fc.record({ do: fc.constant('disperse' as const) }),
  blank: fc.record({ do: fc.constant('blank' as const) }),
  truncate: fc.record({
    do: fc.constant('truncate' as const),
    table: fc.constantFrom('member', 'email', 'person'),
  }),
};
type Changes = typeof changes;
/** One statement of an application. */
export type Change = {
  [Name in keyof Changes]: Changes[Name] extends fc.Arbitrary<infer T> ? T : never;
}[keyof Changes];

/** How often each change is drawn, as against the others; those left out never are. */
export type ChangeWeights = Weights<Change['do']>;

/** A registry's life: people come, change and go, now and then all of them. */
export const everyChange: ChangeWeights = {
  insert: 5,
  update: 4,
  rename: 4,
  delete: 3,
  'insert anew': 2,
  swap: 2,
  'change key': 2,
  'exchange keys': 1,
  move: 2,
  hide: 2,
  'hire until': 2,
  'hire for good': 1,
  'lose name': 1,
  mail: 2,
  found: 3,
  dissolve: 1,
  join: 4,
  leave: 2,
  crowd: 2,
  disperse: 2,
  blank: 1,
  truncate: 1,
};

/** Milliseconds between one thing and the next. */
const pause = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 250 }));

/** A transaction of an application: how it is isolated, how long it stays open after its changes, and how it ends. */
export function transactionOf(weights: ChangeWeights) {
  return fc.record({
    isolation: fc.constantFrom('read committed' as const, 'read committed' as const, 'serializable' as const),
    changes: fc.array(weighted<Change>(changes, weights), {
      minLength: 1,
      maxLength: 3,
    }),
    /** Milliseconds. */
    open: fc.oneof(
      { arbitrary: fc.constant(0), weight: 4 },
      { arbitrary: fc.integer({ min: 1, max: 1200 }), weight: 1 },
    ),
    end: fc.constantFrom(
      'commit' as const,
      'commit' as const,
      'commit' as const,
      'commit' as const,
      'rollback' as const,
    ),
    /** Milliseconds until the application's next transaction. */
    pause,
  });
}
export type Transaction = ReturnType<typeof transactionOf> extends fc.Arbitrary<infer T> ? T : never;
