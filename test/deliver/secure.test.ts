import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction } from '../../src/database/transaction.ts';
import type { Target } from '../../src/targets/target.ts';
import { until } from '../setup/until.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.addPerson(1, 'ada');
});
afterAll(() => stage.close());

const ada = 'uid=ada,ou=people';
const bob = 'uid=bob,ou=people';
const hold = (normalised: string, key: string) =>
  stage.query(`insert into staffetta.remote_id values ('directory', $1, 'person', $2)`, [normalised, key]);

/** Ada and Bob, each with an entry, have swapped their names and are to be delivered. */
async function swap(): Promise<void> {
  await stage.addPerson(2, 'bob');
  await stage.owe('person', 1, 2);
  await stage.settle();
  await stage.query(`update registry.person set uid = case id when 1 then 'bob' else 'ada' end`);
  await stage.owe('person', 1, 2);
}

describe('a remote id that is needed (PROTOCOL B6)', () => {
  test('is not taken by a worker whose claim is gone, which sends nothing', async () => {
    await stage.owe('person', 1);
    const other = stage.foreignToken;
    const database = stage.interpose({
      before: async (name) => {
        if (name === 'reserve') await stage.query('update staffetta.delivery set token = $1', [other]);
      },
    });
    const { outcomes } = await stage.deliver(await stage.claim(), stage.destination(), undefined, database);
    expect(outcomes).toEqual([]);
    expect(stage.target.sent).toEqual([]);
    expect(await stage.reserved()).toEqual({});
    expect(await stage.delivery(1)).toMatchObject({ token: other, rev: '1', unsure: false });
  });

  test('and that another takes in this very moment is asked for again', async () => {
    await stage.owe('person', 1);
    const claim = await stage.claim();
    const delivered = await inTransaction(stage.pool, async (other) => {
      await other.query(`insert into staffetta.remote_id values ('directory', $1, 'person', '2')`, [ada]);
      const delivering = stage.deliver(claim);
      await until(
        () =>
          stage.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%staffetta reserve%'`,
          ),
        (waiting) => waiting.length === 1,
        { what: 'that reserving waits for the other' },
      );
      return { delivering };
    });
    expect((await delivered.delivering).outcomes).toMatchObject([{ key: '1', outcome: 'again' }]);
    expect(stage.target.sent).toEqual([]);
    await stage.forward();
    await stage.settle();
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', error: expect.stringContaining('person 2') });
    expect(stage.target.sent).toEqual([]);
  });

  test('is asked for by a mistake of our own, which is told: nothing is sent', async () => {
    await stage.owe('person', 1);
    stage.target.normalise = () => {
      throw new RangeError('ours');
    };
    await expect(stage.pump().run()).rejects.toThrow(RangeError);
    expect(stage.target.sent).toEqual([]);
  });
});

describe('a swap (PROTOCOL C4)', () => {
  test('of which nobody can step aside waits, and goes through once somebody can', async () => {
    await swap();
    const aside = stage.target.aside(ada, '1');
    await hold(aside, '9');
    // Only once both waits are recorded can it be seen that they make a circle.
    await stage.deliver(await stage.claim());
    await stage.forward();
    await stage.deliver(await stage.claim());
    expect(stage.target.ids).toEqual([ada, bob]);
    expect((await stage.deliveries()).map(({ key, state, wait_key }) => ({ key, state, wait_key }))).toEqual([
      { key: '1', state: 'waiting', wait_key: '2' },
      { key: '2', state: 'waiting', wait_key: '1' },
    ]);
    await stage.query('delete from staffetta.remote_id where normalised = $1', [aside]);
    await stage.forward();
    await stage.settle();
    expect(await stage.deliveries()).toEqual([]);
    expect(await stage.reserved()).toEqual({ [ada]: '2', [bob]: '1' });
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['bob'] });
  });
});

test('who cannot tell what is on the target keeps every remote id while waiting for another', async () => {
  const blind: Target = new Proxy(stage.target, {
    get: (real, name) => {
      const own: unknown = name === 'read' ? undefined : Reflect.get(real, name);
      return typeof own === 'function' ? own.bind(real) : own;
    },
  });
  await stage.owe('person', 1);
  await stage.settle(stage.destination({ target: blind }));
  await stage.query(`update registry.person set uid = 'bob'`);
  await hold(bob, '2');
  await hold('uid=former', '1');
  await stage.owe('person', 1);
  await stage.claim();
  await stage.expire();
  await stage.deliver(await stage.claim(), stage.destination({ target: blind }));
  expect(await stage.delivery(1)).toMatchObject({ state: 'parked', unsure: true });
  expect(await stage.reserved()).toEqual({ [ada]: '1', [bob]: '2', 'uid=former': '1' });
});
