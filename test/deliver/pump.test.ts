import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TargetError } from '../../src/targets/target.ts';
import { hang, refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const people = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
async function owePeople(count: number): Promise<void> {
  for (const id of people(count)) await stage.addPerson(id, `p${String(id).padStart(2, '0')}`);
  await stage.owe('person', ...people(count));
}
const target = async () => {
  const [row] = await stage.query<{ state: string; reason: string | null; failures: number }>(
    'select state, reason, failures from staffetta.target',
  );
  return row;
};
const down = () => {
  throw refusal('unavailable', 'connection refused');
};

describe('a target that cannot be reached', () => {
  test('in the middle of a batch: the rest is given back, no attempts are spent, and the target waits', async () => {
    await owePeople(10);
    const stopped: string[] = [];
    stage.target.onChange = (perform) => (stage.target.changes.length <= 4 ? perform() : down());
    await stage
      .pump(stage.destination({ concurrency: 1 }), { stopped: (name, reason) => stopped.push(`${name}: ${reason}`) })
      .run();
    expect(stage.target.ids).toHaveLength(4);
    expect(stage.target.changes).toHaveLength(5);
    expect(await target()).toEqual({ state: 'waiting', reason: 'connection refused', failures: 1 });
    const left = await stage.deliveries();
    expect(left).toHaveLength(6);
    for (const delivery of left)
      expect(delivery).toMatchObject({ state: 'pending', attempts: 0, token: null, unsure: false });
    expect(stopped).toEqual(['directory: connection refused']);
  });

  test('is left alone for as long as it asked for', async () => {
    await owePeople(2);
    stage.target.onChange = () => {
      throw new TargetError('unavailable', 'too many requests', { retryAfter: 900 });
    };
    await stage.pump(stage.destination({ concurrency: 1 })).run();
    const [row] = await stage.query<{ pause: number }>(
      'select extract(epoch from retry_at - clock_timestamp())::float8 as pause from staffetta.target',
    );
    expect(row?.pause).toBeGreaterThan(890);
    expect(row?.pause).toBeLessThanOrEqual(900);
  });

  test('is not sent anything while it waits', async () => {
    await owePeople(3);
    stage.target.onChange = down;
    await stage.pump(stage.destination({ concurrency: 1 })).run();
    await stage.pump().run();
    expect(stage.target.changes).toHaveLength(1);
  });

  test('is probed by one pump with one delivery once its pause is over, and waits longer if that fails', async () => {
    await owePeople(5);
    stage.target.onChange = down;
    await stage.pump(stage.destination({ concurrency: 1 })).run();
    await stage.forward();
    await Promise.all(people(4).map(() => stage.pump().run()));
    expect(stage.target.changes).toHaveLength(2);
    expect(await target()).toMatchObject({ state: 'waiting', failures: 2 });
  });

  test('recovers with the probe, and catches up by itself', async () => {
    await owePeople(5);
    stage.target.onChange = down;
    await stage.pump().run();
    await stage.forward();
    stage.target.onChange = (perform) => perform();
    await stage.pump().run();
    expect(await target()).toEqual({ state: 'active', reason: null, failures: 0 });
    expect(stage.target.ids).toHaveLength(5);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('but for which a whole batch is too much gets smaller ones, which grow as long as that goes well', async () => {
    await owePeople(40);
    const batches: number[] = [];
    let managed = 0;
    // It manages so many operations of a batch, and is too slow for more.
    stage.target.onChange = (perform) => {
      managed += 1;
      return managed > 20 ? down() : perform();
    };
    const pump = stage.pump(stage.destination({ batch: 40, concurrency: 1 }), {
      settled: (_, outcomes) => {
        batches.push(outcomes.length);
        managed = 0;
      },
    });
    await pump.run();
    await stage.forward();
    await pump.run();
    expect(batches).toEqual([40, 1, 4, 15]);
    expect(stage.target.ids).toHaveLength(40);
  });

  test('is active again where the probe is answered with a refusal', async () => {
    await owePeople(2);
    stage.target.onChange = down;
    await stage.pump().run();
    await stage.forward();
    stage.target.onChange = (perform, { remoteId }) => {
      if (remoteId.startsWith('uid=p01')) throw refusal('rejected');
      return perform();
    };
    await stage.pump().run();
    expect(await target()).toMatchObject({ state: 'active' });
    expect(await stage.deliveries()).toMatchObject([{ key: '1', state: 'parked' }]);
  });

  test('is not taken for reached by a delivery that needs nothing of it', async () => {
    await owePeople(3);
    await stage.settle();
    await stage.query(`update registry.person set name = 'changed' where id = 3`);
    stage.target.onChange = down;
    await stage.owe('person', 3);
    await stage.pump().run();
    await stage.owe('person', 1, 2);
    await stage.query(`update staffetta.delivery set due_at = due_at - interval '1 minute' where key <> '3'`);
    await stage.forward();
    await stage.query(`update staffetta.delivery set due_at = due_at + interval '1 millisecond' where key = '3'`);
    await stage.pump().run();
    expect(await target()).toMatchObject({ state: 'waiting', failures: 2 });
    expect((await stage.deliveries()).map(({ key }) => key)).toEqual(['3']);
  });

  test('is probed at once where that is asked for', async () => {
    await owePeople(1);
    stage.target.onChange = down;
    await stage.pump().run();
    stage.target.onChange = (perform) => perform();
    await stage.pump().run({ probeNow: true });
    expect(stage.target.ids).toHaveLength(1);
  });

  test('though it hangs: the operation ends at its deadline, and is read back', async () => {
    await owePeople(1);
    stage.target.onChange = (perform, asked, signal) => {
      perform(); // it is done, and the answer is lost
      return hang(perform, asked, signal);
    };
    await stage.pump(stage.destination({ timeout: 30 })).run();
    expect(await stage.delivery(1)).toMatchObject({ unsure: true, attempts: 0, token: null });
    expect(await target()).toMatchObject({ state: 'waiting' });
    stage.target.onChange = (perform) => perform();
    await stage.forward();
    await stage.settle();
    expect(stage.target.sent).toEqual(['create uid=p01,ou=people']);
    expect(stage.target.reads).toEqual(['uid=p01,ou=people']);
    expect(await stage.deliveries()).toEqual([]);
    expect(await stage.link(1)).toBeDefined();
  });

  test('though only reading fails', async () => {
    await owePeople(1);
    await stage.query('update staffetta.delivery set unsure = true');
    await stage.query(`insert into staffetta.remote_id values ('directory', 'uid=p01,ou=people', 'person', '1')`);
    stage.target.onRead = down;
    await stage.pump().run();
    expect(stage.target.changes).toEqual([]);
    expect(await target()).toMatchObject({ state: 'waiting' });
    expect(await stage.delivery(1)).toMatchObject({ attempts: 0, unsure: true, token: null });
  });
});

describe('a target that refuses us altogether', () => {
  test('is quarantined at once, and nothing more is sent', async () => {
    await owePeople(6);
    stage.target.onChange = () => {
      throw refusal('misconfigured', 'wrong password');
    };
    await stage.pump(stage.destination({ concurrency: 1 })).run();
    await stage.pump().run({ probeNow: true });
    expect(stage.target.changes).toHaveLength(1);
    expect(await target()).toMatchObject({ state: 'quarantined', reason: 'wrong password' });
    for (const delivery of await stage.deliveries())
      expect(delivery).toMatchObject({ state: 'pending', attempts: 0, token: null });
  });

  test('goes on once a person resumed it', async () => {
    await owePeople(2);
    stage.target.onChange = () => {
      throw refusal('misconfigured', 'wrong password');
    };
    await stage.pump().run();
    stage.target.onChange = (perform) => perform();
    await stage.query(`update staffetta.target set state = 'active'`);
    await stage.pump().run();
    expect(stage.target.ids).toHaveLength(2);
  });
});

describe('a target that refuses us rights', () => {
  const forbid = () => {
    throw refusal('one-sided', 'no right');
  };

  test('for one entry parks that one', async () => {
    await owePeople(5);
    await stage.set('ONE_SIDED_LIMIT', 3);
    stage.target.onChange = (perform, { remoteId }) => (/p0[24]/.test(remoteId) ? forbid() : perform());
    await stage.pump(stage.destination({ concurrency: 1 })).run();
    expect(await target()).toMatchObject({ state: 'active' });
    expect((await stage.deliveries()).map(({ key, state }) => [key, state])).toEqual([
      ['2', 'parked'],
      ['4', 'parked'],
    ]);
  });

  test('for many in a row is quarantined', async () => {
    await owePeople(9);
    await stage.set('ONE_SIDED_LIMIT', 3);
    stage.target.onChange = forbid;
    await stage.pump(stage.destination({ batch: 2 })).run();
    expect(await target()).toMatchObject({ state: 'quarantined', reason: expect.stringMatching(/in a row/) });
    expect(stage.target.changes.length).toBeLessThan(9);
  });

  test('for many, but not in a row, is not', async () => {
    await owePeople(8);
    await stage.set('ONE_SIDED_LIMIT', 3);
    stage.target.onChange = (perform, { remoteId }) => (/p0[136]/.test(remoteId) ? forbid() : perform());
    await stage.pump(stage.destination({ batch: 1 })).run();
    expect(await target()).toMatchObject({ state: 'active' });
    expect(stage.target.ids).toHaveLength(5);
  });
});

describe('a pump', () => {
  test('claims again until nothing is due', async () => {
    await owePeople(10);
    const batches: number[] = [];
    await stage
      .pump(stage.destination({ batch: 4 }), { settled: (_, outcomes) => batches.push(outcomes.length) })
      .run();
    expect(batches).toEqual([4, 4, 2]);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('that runs already only looks once more (PROTOCOL E1)', async () => {
    await stage.addPerson(1, 'p01');
    await stage.owe('person', 1);
    const sending = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    stage.target.onChange = async (perform) => {
      sending.resolve();
      await proceed.promise;
      return perform();
    };
    const pump = stage.pump();
    const running = pump.run();
    await sending.promise;
    expect(pump.isRunning).toBe(true);
    await pump.run(); // returns at once, though the first hangs
    await stage.addPerson(2, 'p02');
    await stage.owe('person', 2);
    proceed.resolve();
    await running;
    expect(stage.target.mostInFlight).toBe(1);
    expect(stage.target.ids).toHaveLength(2);
    expect(pump.isRunning).toBe(false);
  });

  test('can be waited for, and tells that events are to be ingested', async () => {
    await owePeople(1);
    let told = 0;
    const pump = stage.pump(stage.destination(), { told: () => (told += 1) });
    void pump.run();
    await pump.idle();
    expect(pump.isRunning).toBe(false);
    expect(told).toBe(1);
  });

  test('told to stop finishes what is in flight and claims nothing more', async () => {
    await owePeople(6);
    const stop = new AbortController();
    stage.target.onChange = async (perform) => {
      stop.abort();
      await setImmediate();
      return perform();
    };
    await stage.pump(stage.destination({ concurrency: 1, batch: 3 }), {}, stop.signal).run();
    expect(stage.target.ids).toHaveLength(1);
    for (const delivery of await stage.deliveries())
      expect(delivery).toMatchObject({ token: null, attempts: 0, due: true });
  });

  test('of a daemon with another configuration does nothing (PROTOCOL C7)', async () => {
    await owePeople(1);
    await stage.query(`update staffetta.installation set revision = 'r2'`);
    await stage.pump().run();
    expect(stage.target.changes).toEqual([]);
    expect(await stage.deliveries()).toHaveLength(1);
  });

  test('claims for longer than one operation may take, whatever LEASE_SECONDS is', async () => {
    await owePeople(2);
    await stage.set('LEASE_SECONDS', 5);
    await stage.pump(stage.destination({ timeout: 20_000 })).run();
    expect(stage.target.ids).toHaveLength(2);
  }, 10_000);

  test('leaves one key to one worker at a time, however many run (PROTOCOL B)', async () => {
    await owePeople(30);
    const atWork = new Set<string>();
    let twice = false;
    stage.target.onChange = async (perform, { remoteId }) => {
      twice ||= atWork.has(remoteId);
      atWork.add(remoteId);
      await setImmediate();
      atWork.delete(remoteId);
      return perform();
    };
    const pumps = people(4).map(() => stage.pump(stage.destination({ batch: 3 })).run());
    for (const id of people(30)) await stage.owe('person', id);
    await Promise.all(pumps);
    await stage.settle();
    expect(twice).toBe(false);
    expect(stage.target.ids).toHaveLength(30);
    expect(stage.target.changes).toHaveLength(30);
    expect(await stage.deliveries()).toEqual([]);
  });
});

describe('an entity whose view cannot be read', () => {
  const view = async () => {
    const [row] = await stage.query<{ text: string }>(`select pg_get_viewdef('registry.v_person') as text`);
    return row?.text ?? '';
  };

  test('waits with its reason; nothing is parked, nothing removed, and other entities go on (PROTOCOL B12, C1)', async () => {
    await owePeople(3);
    await stage.settle();
    await stage.query(`insert into registry.team values (1, 'red')`);
    const text = await view();
    await stage.query('truncate registry.person');
    await stage.query('drop view registry.v_person');
    await stage.owe('person', 1, 2, 3);
    await stage.owe('team', 1);
    await stage.pump().run();
    expect(stage.target.ids).toEqual([
      'cn=red,ou=teams',
      'uid=p01,ou=people',
      'uid=p02,ou=people',
      'uid=p03,ou=people',
    ]);
    for (const delivery of await stage.deliveries())
      expect(delivery).toMatchObject({ state: 'pending', attempts: 0, token: null });
    const route = () =>
      stage.query(
        'select error, failures, retry_at > clock_timestamp() as waits from staffetta.route where entity = $1',
        ['person'],
      );
    expect(await route()).toEqual([{ error: expect.stringContaining('v_person'), failures: 1, waits: true }]);
    expect(await target()).toMatchObject({ state: 'active' });
    // It is back: the entity goes on, and what is absent now is proven absent.
    await stage.query(`create view registry.v_person as ${text}`);
    await stage.forward();
    await stage.settle();
    expect(stage.target.ids).toEqual(['cn=red,ou=teams']);
    expect(await route()).toEqual([{ error: null, failures: 0, waits: null }]);
  });

  test('waits longer each time', async () => {
    await owePeople(1);
    const text = await view();
    await stage.query('drop view registry.v_person');
    await stage.pump().run();
    await stage.forward();
    await stage.pump().run();
    expect(await stage.query(`select failures from staffetta.route where entity = 'person'`)).toEqual([
      { failures: 2 },
    ]);
    await stage.query(`create view registry.v_person as ${text}`);
  });
});
