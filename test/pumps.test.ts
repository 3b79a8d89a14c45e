import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Tunables } from '../src/database/tunables.ts';
import { Pumps } from '../src/pumps.ts';
import { claimant, createStage, type Stage } from './deliver/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.clear());

/** The slots of six for which a kick adds jobs, when so many deliveries are due. */
async function kicked(deliveries: number): Promise<unknown[]> {
  await stage.query(
    `insert into staffetta.delivery (target, entity, key) select 'directory', 'person', n::text from generate_series(1, $1) n`,
    [deliveries],
  );
  const destination = stage.destination({ batch: 500 });
  const pumps = new Pumps(
    { database: stage.pool, few: stage.pool, tunables: new Tunables(stage.pool) },
    new Map([[destination.name, destination]]),
    {
      slots: () => 6,
      claimant,
      events: { settled: () => {}, told: () => {}, stopped: () => {} },
      failed: (_, error) => {
        throw error;
      },
      stop: new AbortController().signal,
    },
  );
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
