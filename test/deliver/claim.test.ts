import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Claim, type Claimant, Claimer } from '../../src/deliver/claim.ts';
import { claimant, createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const claimer = (differing: Partial<Claimant> = {}) => new Claimer('directory', { ...claimant, ...differing });
const claim = (by: Claimer, { limit = 100, probing = false } = {}) =>
  by.claim(stage.pool, { limit, leaseSeconds: 60, probing });
const keys = (claim: Claim | undefined) => claim?.deliveries.map(({ key }) => key).sort() ?? [];

describe('claiming deliveries', () => {
  test('takes what is due, and nothing that is not', async () => {
    await stage.owe('person', 1, 2, 3, 4);
    await stage.query(`update staffetta.delivery set due_at = clock_timestamp() + interval '1 minute' where key = '2'`);
    await stage.query(`update staffetta.delivery set state = 'parked' where key = '3'`);
    await stage.query(`update staffetta.delivery set state = 'waiting' where key = '4'`);
    expect(keys(await claim(claimer()))).toEqual(['1', '4']);
    expect(await claim(claimer())).toBeUndefined();
  });

  test('is committed with its token, revision and lease when it returns', async () => {
    await stage.owe('person', 1);
    await stage.owe('person', 1);
    const claimed = await claim(claimer());
    const [row] = await stage.query(
      `select token::text, claimed_rev::text, rev::text, lease_until > clock_timestamp() + interval '50 seconds' as long from staffetta.delivery`,
    );
    expect(row).toEqual({ token: claimed?.token, claimed_rev: '2', rev: '2', long: true });
    expect(claimed?.leaseEnds).toBeLessThanOrEqual(performance.now() + 60_000);
  });

  test('takes no more than asked for, those first that are due longest', async () => {
    await stage.owe('person', 1, 2, 3);
    await stage.query(`update staffetta.delivery set due_at = due_at - key::int * interval '1 second'`);
    expect(keys(await claim(claimer(), { limit: 2 }))).toEqual(['2', '3']);
  });

  test('takes interactive deliveries before bulk ones, and bulk first at every fifth claim', async () => {
    await stage.owe('person', ...Array.from({ length: 20 }, (_, index) => index));
    await stage.query(`update staffetta.delivery set priority = 1 where key::int >= 10`);
    const by = claimer();
    const order: string[] = [];
    for (let count = 0; count < 10; count += 1) {
      const [key] = keys(await claim(by, { limit: 1 }));
      order.push(Number(key) < 10 ? 'interactive' : 'bulk');
    }
    expect(order.filter((priority) => priority === 'bulk')).toHaveLength(2);
    expect(order[4]).toBe('bulk');
    expect(order[9]).toBe('bulk');
  });

  test('takes interactive deliveries only, at every turn, where it is to take nothing else', async () => {
    await stage.owe('person', ...Array.from({ length: 20 }, (_, index) => index));
    await stage.query(`update staffetta.delivery set priority = 1 where key::int >= 10`);
    const by = new Claimer('directory', claimant, 'interactive');
    for (let count = 0; count < 5; count += 1)
      expect(await claim(by, { limit: 2 })).toMatchObject({ priority: 'interactive' });
    expect(await claim(by, { limit: 2 })).toBeUndefined();
    expect(await claim(claimer())).toMatchObject({ priority: 'bulk' });
  });

  test('takes bulk at once where nothing else is due', async () => {
    await stage.owe('person', 1);
    await stage.query('update staffetta.delivery set priority = 1');
    expect(keys(await claim(claimer()))).toEqual(['1']);
  });

  test('takes over a claim that has run out, as unsure (PROTOCOL B5)', async () => {
    await stage.owe('person', 1);
    const first = await claim(claimer());
    expect(first?.deliveries).toMatchObject([{ unsure: false }]);
    expect(await claim(claimer())).toBeUndefined();
    await stage.expire();
    const second = await claim(claimer());
    expect(second?.deliveries).toMatchObject([{ key: '1', unsure: true }]);
    expect(second?.token).not.toBe(first?.token);
  });

  test('hands on what is not sure, and the strays', async () => {
    await stage.owe('person', 1);
    await stage.query(`update staffetta.delivery set unsure = true, stray = '{uid=a}', attempts = 3`);
    expect((await claim(claimer()))?.deliveries).toEqual([
      expect.objectContaining({ unsure: true, stray: ['uid=a'], attempts: 3, absentFor: null, suspended: false }),
    ]);
  });

  test('says for how long a key has been proven absent', async () => {
    await stage.owe('person', 1);
    await stage.query(`update staffetta.delivery set absent_since = clock_timestamp() - interval '7 seconds'`);
    const [delivery] = (await claim(claimer()))?.deliveries ?? [];
    expect(delivery?.absentFor).toBeGreaterThanOrEqual(7);
    expect(delivery?.absentFor).toBeLessThan(15);
  });

  test('takes nothing for a daemon with another configuration (PROTOCOL C7)', async () => {
    await stage.owe('person', 1);
    expect(await claim(claimer({ revision: 'r0' }))).toBeUndefined();
    expect(keys(await claim(claimer()))).toEqual(['1']);
  });

  test.each(['paused', 'quarantined', 'retired', 'waiting'])('takes nothing for a target that is %s', async (state) => {
    await stage.owe('person', 1);
    await stage.query('update staffetta.target set state = $1', [state]);
    expect(await claim(claimer())).toBeUndefined();
  });

  test('probes a target that is waiting, but no other', async () => {
    await stage.owe('person', 1);
    await stage.query(`update staffetta.target set state = 'paused'`);
    expect(await claim(claimer(), { probing: true })).toBeUndefined();
    await stage.query(`update staffetta.target set state = 'waiting'`);
    expect(keys(await claim(claimer(), { probing: true }))).toEqual(['1']);
  });

  test('leaves the deliveries of an entity that waits for its view, and says so once it does not (PROTOCOL B12)', async () => {
    await stage.owe('person', 1);
    await stage.owe('team', 2);
    await stage.query(
      `update staffetta.route set error = 'no view', retry_at = clock_timestamp() + interval '1 minute' where entity = 'person'`,
    );
    expect(keys(await claim(claimer()))).toEqual(['2']);
    await stage.query('update staffetta.route set retry_at = clock_timestamp()');
    expect((await claim(claimer()))?.deliveries).toMatchObject([{ key: '1', suspended: true }]);
  });

  test('looks again, after a reset, at what fell behind its bound (PROTOCOL B11)', async () => {
    const by = claimer();
    await stage.owe('person', 1);
    await claim(by);
    await stage.owe('person', 2, 3);
    await stage.query(
      `update staffetta.delivery set due_at = clock_timestamp() - interval '5 seconds' where key = '2'`,
    );
    await stage.query(`update staffetta.delivery set due_at = clock_timestamp() - interval '1 hour' where key = '3'`);
    expect(keys(await claim(by))).toEqual(['2']);
    expect(await claim(by)).toBeUndefined();
    by.reset();
    expect(keys(await claim(by))).toEqual(['3']);
  });

  test('looks again, after a few seconds, at what fell behind its bound, however it did', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const by = claimer();
      await stage.owe('person', 1);
      await claim(by);
      await stage.owe('person', 2);
      await stage.query(`update staffetta.delivery set due_at = clock_timestamp() - interval '1 hour' where key = '2'`);
      vi.advanceTimersByTime(4_000);
      expect(await claim(by)).toBeUndefined();
      vi.advanceTimersByTime(1_000);
      expect(keys(await claim(by))).toEqual(['2']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('never gives one delivery to two claimers', async () => {
    await stage.owe('person', ...Array.from({ length: 300 }, (_, index) => index));
    const one = async () => {
      const taken: string[] = [];
      const by = claimer();
      for (;;) {
        const claimed = await claim(by, { limit: 7 });
        if (!claimed) return taken;
        taken.push(...keys(claimed));
      }
    };
    // A claimer may find all that is left locked by the others, and end; so the rest is taken at last.
    const taken = (await Promise.all([one(), one(), one(), one(), one()])).concat(await one()).flat();
    expect(taken).toHaveLength(300);
    expect(new Set(taken).size).toBe(300);
  });
});
