import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Search } from '../../src/hooks/hook.ts';
import { TooLate } from '../../src/hooks/hook.ts';
import { create, createWorkshop, done, remove, update, type Workshop } from './workshop.ts';

const source = `
import { isMainThread } from 'node:worker_threads';
type Call = { key: string; function: string; type?: number; status: object; search: Function; signal: AbortSignal; outcome?: object };
let calls = 0;
const answer = async ({ key, search, signal, function: name, type, outcome }: Call) => {
  calls += 1;
  switch (key) {
    case 'throws': throw new Error('it broke');
    case 'loops': for (;;);
    case 'hangs': return await new Promise(() => {});
    case 'heeds': return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('heard'))));
    case 'exits': process.exit(7);
    case 'eats': { const all: unknown[] = []; for (;;) all.push(new Array(1e5).fill(Math.random())); }
    case 'rejects': void Promise.reject(new Error('unheard')); return await new Promise(() => {});
    case 'nonsense': return 'yes';
    case 'function': return { code: 0, msg: 'x', panic: () => true };
    case 'cycle': { const circle: Record<string, unknown> = { code: 0 }; circle.self = circle; return circle; }
    case 'nothing': return;
    case 'panics': return { code: -10101, msg: 'never', panic: true };
    case 'searches': {
      const found = await search('(uid=ada)', { attributes: ['cn', 'userpassword', 'userPassword;x-old', '2.5.4.35'] });
      return { code: 0, msg: JSON.stringify(found) };
    }
    case 'searches wrongly': return await search('nonsense');
  }
  return { code: 0, msg: [calls, name, type, outcome ? 'after' : '', isMainThread].filter((word) => word !== undefined).join(' ') };
};
export const beforeCreate = answer;
export async function afterAddUser(call: Call) { return await answer(call); }
export const beforeChangeAttribute = answer;
export const afterUpdate = answer;
`;

describe('a hook that is an ES module', () => {
  let shop: Workshop;
  const one = { name: 'one', module: './gate.ts', timeout: '2s' };

  beforeEach(async () => {
    shop = await createWorkshop({ 'gate.ts': source });
  });
  afterEach(() => shop.close());

  async function said(key: string, hooks = shop.hooks([one]), search?: Search) {
    const round = await shop.round(hooks, create, { key }, search);
    await round.before();
    return round.statuses.map(({ code, message }) => `${code} ${message}`).join();
  }

  test('has its functions called under our names and under those of AOSI, and need not have all', async () => {
    const hooks = shop.hooks([one]);
    const all: string[] = [];
    for (const change of [create, update, remove]) {
      const round = await shop.round(hooks, change);
      await round.before();
      await round.after(done);
      all.push(...round.statuses.map(({ hook, message }) => `${hook}: ${message}`));
    }
    expect(all).toEqual([
      'beforeCreate: 1 beforeCreate  false',
      'afterCreate: 2 afterCreate after false',
      'beforeUpdate add: 3 beforeUpdate 1  false',
      'beforeUpdate modify: 4 beforeUpdate 2  false',
      'beforeUpdate delete: 5 beforeUpdate 3  false',
      'afterUpdate add: 6 afterUpdate 1 after false',
      'afterUpdate modify: 7 afterUpdate 2 after false',
      'afterUpdate delete: 8 afterUpdate 3 after false',
    ]);
  });

  test.each([
    ['throws', '-10000 threw: it broke'],
    ['loops', '-10000 did not answer within 2000 ms'],
    ['hangs', '-10000 did not answer within 2000 ms'],
    ['heeds', '-10000 did not answer within 2000 ms'],
    ['exits', '-10000 ended with 7'],
    ['rejects', '-10000 ended: unheard'],
    ['nonsense', /^-10000 answered nonsense/],
    ['function', /^0 x/],
    ['cycle', /^-10000 threw: Converting circular/],
    ['nothing', '0 '],
  ])('that %s is a module that failed, and goes on with the next', async (key, expected) => {
    const hooks = shop.hooks([one]);
    expect(await said(key, hooks)).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
    expect(await said('well', hooks)).toMatch(/^0 \d beforeCreate/);
  });

  test('that eats all memory ends alone', async () => {
    const hooks = shop.hooks([{ ...one, timeout: '30s' }]);
    expect(await said('eats', hooks)).toMatch(/^-10000 ended: .*memory/);
    expect(await said('well', hooks)).toMatch(/^0 1 beforeCreate/);
  });

  test('that hangs in one call goes on with the others', async () => {
    const hooks = shop.hooks([one]);
    const [hung, well] = await Promise.all([said('hangs', hooks), said('well', hooks)]);
    expect(hung).toBe('-10000 did not answer within 2000 ms');
    expect(well).toMatch(/^0 2 /);
    expect(await said('well', hooks)).toMatch(/^0 3 /);
  });

  test('stops with a panic', async () => {
    const round = await shop.round(shop.hooks([one]), create, { key: 'panics' });
    expect(await round.before()).toBe('hook one, beforeCreate: never');
  });

  test('may search the target', async () => {
    const asked: unknown[] = [];
    const search: Search = async (filter, options) => {
      asked.push([filter, options]);
      if (filter === 'nonsense') throw new Error('not a filter');
      return [{ remoteId: 'uid=ada', attributes: { cn: ['Ada'] } }];
    };
    expect(await said('searches', shop.hooks([one]), search)).toBe(
      '0 [{"remoteId":"uid=ada","attributes":{"cn":["Ada"]}}]',
    );
    expect(await said('searches wrongly', shop.hooks([one]), search)).toBe('-10000 threw: not a filter');
    expect(asked).toEqual([
      ['(uid=ada)', { attributes: ['cn'] }],
      ['nonsense', { attributes: [] }],
    ]);
    await said('searches', shop.hooks([{ ...one, secrets: true }]), search);
    expect(asked.at(-1)).toEqual([
      '(uid=ada)',
      { attributes: ['cn', 'userpassword', 'userPassword;x-old', '2.5.4.35'] },
    ]);
  });

  test('that cannot be loaded fails, and is loaded once it can be', async () => {
    await shop.write({ 'gate.ts': 'export const = 1' });
    const hooks = shop.hooks([one]);
    expect(await said('well', hooks)).toMatch(/^-10000 cannot be loaded: /);
    await shop.write({ 'gate.ts': `${source}// ${'another length, another version'}` });
    expect(await said('well', hooks)).toMatch(/^0 1 beforeCreate/);
  });

  test('is not called where it might not be over in time', async () => {
    const begin = () => {
      throw new TooLate(2000, false);
    };
    const round = await shop.round(shop.hooks([one]), create, {}, undefined, begin);
    await expect(round.before()).rejects.toThrow(TooLate);
    await round.after(done);
    expect(round.statuses).toMatchObject([
      { hook: 'afterCreate', code: -10_000, message: /longer than a claim lasts/ },
    ]);
  });
});
