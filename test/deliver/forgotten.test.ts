import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Queryable } from '../../src/database/transaction.ts';
import { Claimer } from '../../src/deliver/claim.ts';
import { freeForgotten } from '../../src/deliver/forgotten.ts';
import { claimant, createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const terms = { limit: 1, leaseSeconds: 60, probing: false };
const free = (claimer: Claimer) => freeForgotten(stage.pool, claimant.instance, (token) => claimer.holds(token));

describe('a claim that nobody is at work on', () => {
  test('since its answer was lost is freed, in doubt, and not left to its lease', async () => {
    await stage.owe('person', 1);
    const claimer = new Claimer('directory', claimant);
    const deaf: Queryable = {
      query: async (statement, values) => {
        await stage.pool.query(statement, values);
        throw new Error('Connection terminated unexpectedly');
      },
    };
    await expect(claimer.claim(deaf, terms)).rejects.toThrow('terminated');
    expect(await claimer.claim(stage.pool, terms)).toBeUndefined();
    expect(await free(claimer)).toBe(1);
    expect(await claimer.claim(stage.pool, terms)).toMatchObject({ deliveries: [{ key: '1', unsure: true }] });
  });

  test('since its settling was lost in a crash is freed; what is under way is not', async () => {
    await stage.owe('person', 1, 2);
    const claimer = new Claimer('directory', claimant);
    const [lost, held] = [await claimer.claim(stage.pool, terms), await claimer.claim(stage.pool, terms)];
    if (lost) claimer.end(lost); // it was settled, but the server has forgotten
    expect(await free(claimer)).toBe(1);
    expect(await stage.query('select key, token::text from staffetta.delivery order by key')).toEqual([
      { key: '1', token: null },
      { key: '2', token: held?.token },
    ]);
    expect(await free(claimer)).toBe(0);
  });

  test('of another instance is none of ours', async () => {
    await stage.owe('person', 1);
    const other = new Claimer('directory', { ...claimant, instance: crypto.randomUUID() });
    await other.claim(stage.pool, terms);
    expect(await free(new Claimer('directory', claimant))).toBe(0);
  });
});
