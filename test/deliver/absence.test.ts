/** What a batch does when the ground moves under it between its steps: nothing that was not proven at that moment. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.addPerson(1, 'ada');
  await stage.owe('person', 1);
  await stage.settle();
});
afterAll(() => stage.close());

const ada = 'uid=ada,ou=people';

/** Delivers what is due, while something happens before or after a statement of it, counted from 1. */
async function deliver(
  happen: { readonly [when in 'before' | 'after']?: (name: string, times: number) => Promise<void> | void },
) {
  const times = new Map<string, number>();
  const count = (name: string) => times.set(name, (times.get(name) ?? 0) + 1).get(name) ?? 0;
  const database = stage.interpose({
    before: (name) => {
      const now = count(name);
      return happen.before?.(name, now);
    },
    after: (name) => happen.after?.(name, times.get(name) ?? 0),
  });
  return stage.deliver(await stage.claim(), stage.destination(), undefined, database);
}
const isLoad = (name: string) => name.startsWith('load_directory_person');

describe('a removal', () => {
  beforeEach(async () => {
    await stage.query('delete from registry.person');
    await stage.owe('person', 1);
  });

  test('is not made where the view cannot be read at the moment of sending (PROTOCOL C1)', async () => {
    await deliver({
      before: async (name, times) => {
        if (isLoad(name) && times === 2) await stage.query('alter view registry.v_person rename to v_moved');
      },
    });
    try {
      expect(stage.target.ids).toEqual([ada]);
      expect(await stage.delivery(1)).toMatchObject({ state: 'pending', token: null, attempts: 0 });
      const [route] = await stage.query(`select error from staffetta.route where entity = 'person'`);
      expect(route?.error).toContain('v_person');
    } finally {
      await stage.query('alter view registry.v_moved rename to v_person');
    }
    await stage.forward();
    await stage.settle();
    expect(stage.target.ids).toEqual([]);
  });

  test('is not made where somebody has begun to wait for the entry, who gets it (PROTOCOL C4)', async () => {
    await deliver({
      after: async (name, times) => {
        if (!isLoad(name) || times !== 1) return;
        await stage.addPerson(2, 'ada');
        await stage.owe('person', 2);
        await stage.query(
          `update staffetta.delivery set state = 'waiting', due_at = clock_timestamp() + interval '1 minute',
             wait_entity = 'person', wait_key = '1', wait_id = $1 where key = '2'`,
          [ada],
        );
      },
    });
    expect(stage.target.sent).toEqual([`create ${ada}`]);
    await stage.settle();
    expect(stage.target.sent).toEqual([`create ${ada}`]);
    expect(await stage.link(1)).toBeUndefined();
    expect(await stage.link(2)).toMatchObject({ remote_id: ada });
  });

  test('is made once it is proven, whatever is missing in the database afterwards', async () => {
    let failed = 0;
    await deliver({
      before: (name) => {
        if (name !== 'settle' || failed === 2) return;
        failed += 1;
        throw Object.assign(new pg.DatabaseError('terminating connection', 0, 'error'), { code: '57P01' });
      },
    });
    expect(failed).toBe(2);
    expect(stage.target.ids).toEqual([]);
    expect(await stage.delivery(1)).toBeUndefined();
    expect(await stage.link(1)).toBeUndefined();
  });
});

describe('what nobody could record', () => {
  test('because the statement itself is refused is thrown, and read back by whoever takes over', async () => {
    await stage.query(`update registry.person set name = 'Ada'`);
    await stage.owe('person', 1);
    const settling = deliver({
      before: (name) => {
        if (name === 'settle') throw Object.assign(new pg.DatabaseError('disk broken', 0, 'error'), { code: 'XX001' });
      },
    });
    await expect(settling).rejects.toThrow('disk broken');
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['Ada'] });
    expect(await stage.delivery(1)).toMatchObject({ token: expect.any(String) });
    await stage.expire();
    await stage.settle();
    expect(stage.target.reads).toContain(ada);
    expect(stage.target.sent).toHaveLength(2);
    expect(await stage.delivery(1)).toBeUndefined();
  });

  test('of an entity that is not configured any more is given back', async () => {
    await stage.owe('robot', 9);
    await stage.query(`insert into staffetta.route (target, entity) values ('directory', 'robot')`);
    try {
      const { outcomes } = await stage.deliver(await stage.claim());
      expect(outcomes).toEqual([{ entity: 'robot', key: '9', outcome: 'release' }]);
    } finally {
      await stage.query(`delete from staffetta.route where entity = 'robot'`);
    }
  });
});
