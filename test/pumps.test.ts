import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bellChannel } from '../src/capture/trigger.ts';
import { Tunables } from '../src/database/tunables.ts';
import { Pumps } from '../src/pumps.ts';
import { claimant, createStage, type Stage } from './deliver/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.clear());

/** Pumps of one target with so many slots. */
function createPumps(slots: number): Pumps {
  const destination = stage.destination({ batch: 500 });
  return new Pumps(
    { database: stage.pool, few: stage.pool, tunables: new Tunables(stage.pool) },
    new Map([[destination.name, destination]]),
    {
      slots: () => slots,
      claimant,
      events: { settled: () => {}, told: () => {}, stopped: () => {} },
      failed: (_, error) => {
        throw error;
      },
      stop: new AbortController().signal,
    },
  );
}

/** Has so many deliveries due, all of them of nobody. */
async function oweNobody(deliveries: number): Promise<void> {
  await stage.query(
    `insert into staffetta.delivery (target, entity, key) select 'directory', 'person', n::text from generate_series(1, $1) n`,
    [deliveries],
  );
}

/** The slots of six for which a kick adds jobs, when so many deliveries are due. */
async function kicked(deliveries: number): Promise<unknown[]> {
  await oweNobody(deliveries);
  const pumps = createPumps(6);
  const jobs: unknown[] = [];
  await pumps.kick(stage.pool, async (specs) => {
    jobs.push(...specs.map(({ payload }) => payload));
    return [];
  });
  await pumps.idle();
  return jobs;
}

test('a kick runs as many pumps as the due deliveries can use, the first one at once', async () => {
  expect(await kicked(1)).toEqual([]);
  expect(await stage.deliveries()).toEqual([]);
  await stage.clear();
  expect(await kicked(501)).toEqual([{ target: 'directory', slot: 1 }]);
});

test('a backlog has every slot at work, however large it is', async () => {
  expect(await kicked(5_000)).toEqual([1, 2, 3, 4, 5].map((slot) => ({ target: 'directory', slot })));
});

/** What other daemons hear of two kicks, one after the other, of pumps with so many slots. */
async function told(deliveries: number, slots: number, state = 'active'): Promise<(string | undefined)[]> {
  await stage.clear();
  await oweNobody(deliveries);
  await stage.query(`update staffetta.target set state = $1, retry_at = clock_timestamp() + interval '1 hour'`, [
    state,
  ]);
  const listener = await stage.pool.connect();
  try {
    const heard: (string | undefined)[] = [];
    const over = Promise.withResolvers<void>();
    listener.on('notification', ({ payload }) => (payload === 'over' ? over.resolve() : heard.push(payload)));
    await listener.query(`listen ${bellChannel}`);
    const pumps = createPumps(slots);
    for (const _ of [1, 2]) {
      await pumps.kick(stage.pool, async () => []);
      await pumps.idle();
    }
    await stage.query(`select pg_notify('${bellChannel}', 'over')`);
    await over.promise;
    await pumps.idle();
    return heard;
  } finally {
    listener.release(true);
  }
}

test('other daemons are told of what is more than all slots of one take at once, when these begin', async () => {
  expect(await told(500, 1)).toEqual([]);
  expect(await told(1_600, 1)).toEqual(['due']);
  expect(await told(1, 2)).toEqual([]);
});

test('others are told once of a target that nothing can be sent to', async () => {
  expect(await told(1_600, 2, 'waiting')).toEqual(['due']);
});

test('who is waited for does not wait until a batch of bulk is done, though every slot is at one', async () => {
  const pumps = createPumps(2);
  const bulk = Promise.withResolvers<void>();
  const begun: string[] = [];
  const seen = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  stage.target.onChange = async (perform, { remoteId }) => {
    if (remoteId !== 'uid=ada,ou=people') {
      if (begun.push(remoteId) === 8) seen.resolve(); // as many as two pumps have in flight
      await bulk.promise;
    }
    const applied = perform();
    if (remoteId === 'uid=ada,ou=people') arrived.resolve();
    return applied;
  };
  for (let id = 1; id <= 600; id += 1) await stage.addPerson(id, `u${id}`, { room: 1 });
  await stage.owe('person', ...Array.from({ length: 600 }, (_, index) => index + 1));
  await stage.query('update staffetta.delivery set priority = 1');
  pumps.start(['directory']);
  pumps.start(['directory']);
  await seen.promise;

  await stage.addPerson(601, 'ada', { room: 1 });
  await stage.owe('person', 601);
  pumps.start(['directory']);
  await arrived.promise;
  expect(stage.target.changes.filter(({ remoteId }) => !begun.includes(remoteId))).toHaveLength(1);

  bulk.resolve();
  await pumps.idle();
  expect(await stage.deliveries()).toEqual([]);
});
