import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Tunables } from '../../src/database/tunables.ts';
import { Pump } from '../../src/deliver/pump.ts';
import { claimant, createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.query(`insert into registry.person (id, uid, name) values (1, 'anna', 'Anna'), (2, 'bruno', 'Bruno')`);
  await stage.owe('person', 1, 2);
});
afterAll(() => stage.close());

describe('a daemon that others may take for dead (PROTOCOL B4)', () => {
  test('sends nothing of what it has claimed, and gives it back', async () => {
    const claim = await stage.claim();
    const destination = stage.destination({ timeout: 5_000 });
    const delivered = await stage.deliver({ ...claim, life: { ends: performance.now() + 4_000 } }, destination);
    expect(stage.target.changes).toEqual([]);
    expect(delivered.outcomes).toMatchObject([{ outcome: 'release' }, { outcome: 'release' }]);
    expect(await stage.deliveries()).toMatchObject([
      { key: '1', token: null, unsure: false, attempts: 0 },
      { key: '2', token: null, unsure: false, attempts: 0 },
    ]);
  });

  test('stops in the middle of a batch when its life ends there', async () => {
    const life = { ends: Number.POSITIVE_INFINITY };
    const claim = await stage.claim();
    stage.target.onChange = (perform) => {
      life.ends = 0;
      return perform();
    };
    await stage.deliver({ ...claim, life }, stage.destination({ concurrency: 1 }));
    expect(stage.target.changes).toHaveLength(1);
    expect(await stage.deliveries()).toMatchObject([{ token: null, unsure: false }]);
  });

  test('claims nothing before it was seen alive again', async () => {
    const life = { ends: performance.now() + 4_000 };
    const events = { settled: () => {}, told: () => {}, stopped: () => {} };
    const pump = new Pump(
      { database: stage.pool, few: stage.pool, tunables: new Tunables(stage.pool) },
      stage.destination({ timeout: 5_000 }),
      { ...claimant, life },
      events,
      new AbortController().signal,
    );
    await pump.run();
    expect(await stage.deliveries()).toMatchObject([{ token: null }, { token: null }]);
    expect(stage.target.changes).toEqual([]);
    life.ends = Number.POSITIVE_INFINITY;
    await pump.run();
    expect(await stage.deliveries()).toEqual([]);
  });
});
