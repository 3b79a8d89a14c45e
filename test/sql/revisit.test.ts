import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { revisit } from '../../src/reconcile/revisit.ts';
import { createStage, type Stage } from '../deliver/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
  await stage.query('create table registry.contract (person_id numeric, until timestamptz)');
});
beforeEach(async () => {
  await stage.clear();
  await stage.query('truncate registry.contract');
  await stage.query(
    `update staffetta.route set revisit = 'select person_id as key, until as at from registry.contract -- who leaves',
       revisited_at = now() - interval '1 hour', revisit_error = null where entity = 'person'`,
  );
});
afterAll(() => stage.close());

/** Contracts that end so many minutes from now. */
const contracts = (minutes: Readonly<Record<number, number>>) =>
  stage.query(
    `insert into registry.contract select c.key::numeric, clock_timestamp() + make_interval(mins => c.value::int) from jsonb_each_text($1) c`,
    [minutes],
  );
const due = async () => (await stage.deliveries()).map(({ key }) => key);
const route = async () =>
  (
    await stage.query<{ error: string | null; behind: number }>(
      `select revisit_error as error, extract(epoch from clock_timestamp() - revisited_at)::int as behind from staffetta.route where entity = 'person'`,
    )
  )[0];

describe('a sweep', () => {
  test('looks again at the keys whose time has come since the last one, each once', async () => {
    await contracts({ 1: -90, 2: -30, 3: -1, 4: 5 });
    await contracts({ 2: -10 });
    await revisit(stage.pool);
    expect(await due()).toEqual(['2', '3']);
    expect(await stage.query('select distinct first_cause from staffetta.delivery')).toEqual([
      { first_cause: 'revisit' },
    ]);
    await stage.query('delete from staffetta.delivery');
    await revisit(stage.pool);
    expect(await due()).toEqual([]);
  });

  test('that comes late makes up for those that were missed', async () => {
    await revisit(stage.pool);
    await contracts({ 4: 0 });
    await stage.query(`update staffetta.route set revisited_at = revisited_at - interval '3 days'`);
    await contracts({ 5: -60 * 24 });
    await revisit(stage.pool);
    expect(await due()).toEqual(['4', '5']);
  });

  test('has keys in their canonical form, and leaves out what has none or no time', async () => {
    await stage.query(`insert into registry.contract values (7.000, now()), (null, now()), (8, null), (9, 'infinity')`);
    await revisit(stage.pool);
    expect(await due()).toEqual(['7']);
  });

  test('lets interactive changes go first where many are due', async () => {
    await stage.query(`insert into registry.contract select n, now() from generate_series(1, 501) n`);
    await revisit(stage.pool);
    expect(await stage.query('select priority, count(*)::int from staffetta.delivery group by 1')).toEqual([
      { priority: 1, count: 501 },
    ]);
  });

  test('whose query fails says so, stops nothing else, and makes up for it', async () => {
    await stage.query(
      `update staffetta.route set revisit = 'select id as key, now() as at from registry.team', revisited_at = '-infinity' where entity = 'team'`,
    );
    await stage.query(`insert into registry.team values (1, 'a')`);
    await contracts({ 1: -1 });
    await stage.query('alter table registry.contract rename to agreement');
    await revisit(stage.pool);
    expect(await due()).toEqual(['1']);
    expect((await stage.deliveries())[0]?.entity).toBe('team');
    const error = 'relation "registry.contract" does not exist';
    expect(await route()).toMatchObject({ error });
    expect(await stage.query(`select entity, message from staffetta.failures where failure = 'revisit'`)).toEqual([
      { entity: 'person', message: error },
    ]);
    const [status] = await stage.query<{ attention: string[] }>(
      `select attention from staffetta.status where entity = 'person'`,
    );
    expect(status?.attention).toContainEqual(expect.stringContaining(error));
    await stage.query('alter table registry.agreement rename to contract');
    await revisit(stage.pool);
    expect([(await stage.delivery(1))?.state, await route()]).toEqual(['pending', { error: null, behind: 0 }]);
    await stage.query(`update staffetta.route set revisit = null where entity = 'team'`);
  });

  test('leaves to another what that is at', async () => {
    await contracts({ 1: -1 });
    const other = await stage.pool.connect();
    try {
      await other.query('begin');
      await other.query(`select staffetta.revisit('directory', 'person')`);
      expect(await stage.query(`select staffetta.revisit('directory', 'person') as enqueued`)).toEqual([
        { enqueued: null },
      ]);
    } finally {
      await other.query('rollback');
      other.release();
    }
  });
});
