/** Whatever a module does, the engine gets a right answer or a TargetError, and in time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '../../../src/targets/target.ts';
import { createModules, type Modules, well } from './modules.ts';

let modules: Modules;
beforeAll(async () => {
  modules = await createModules();
});
afterAll(() => modules.close());

const change: Change = { operation: 'create', entity: 'person', remoteId: '42', attributes: { pin: ['1234'] } };
const patience = () => AbortSignal.timeout(10_000);

/** A module of which one method is this. */
const having = (method: string, more?: Readonly<Record<string, unknown>>) =>
  modules.of(
    `export default (options, { TargetError, secret }) => ({
    ping: async () => ({ summary: 'well', identity: 'one' }),
    apply: async ({ remoteId }) => ({ remoteId }),
    ${method},
  });`,
    more,
  );

describe('a module that', () => {
  test.each([
    ['throws at once', 'apply() { throw new Error("broken"); }', /^apply of \.\/module\d+\.mjs failed: broken$/],
    ['throws something that is no error', 'async apply() { throw "just text"; }', /failed: just text$/],
    ['throws nothing at all', 'apply: () => Promise.reject()', /failed: it said nothing$/],
    ['answers nothing', 'async apply() {}', /answered wrongly: expected { remoteId, stableId\?, data\? }$/],
    ['answers no remote id', 'async apply() { return { id: 1 }; }', /remoteId is not right/],
    ['answers another kind of id', 'async apply() { return { remoteId: 42 }; }', /remoteId is not right/],
    ['answers an empty id', 'async apply() { return { remoteId: "" }; }', /remoteId is not right/],
    ['answers at once', 'apply() { return 5; }', /answered wrongly/],
    [
      'throws a kind that there is not',
      'async apply() { throw Object.assign(new Error("x"), { name: "TargetError", kind: "odd" }); }',
      /failed: x$/,
    ],
  ])('%s fails as unknown, and may have done it', async (_, method, message) => {
    const target = await having(method);
    await expect(target.apply(change, patience())).rejects.toMatchObject({
      name: 'TargetError',
      kind: 'unknown',
      unsure: true,
      message: expect.stringMatching(message),
    });
  });

  test('throws a TargetError is taken at its word', async () => {
    const target = await having(`async apply() {
      throw new TargetError('unavailable', 'too many requests', { retryAfter: 30, data: { a: 1 } });
    }`);
    await expect(target.apply(change, patience())).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: false,
      retryAfter: 30,
      data: { a: 1 },
      message: 'too many requests',
    });
  });

  test('throws the TargetError of another copy is taken at its word, too', async () => {
    const target = await having(`async apply() {
      throw Object.assign(new Error('taken'), { name: 'TargetError', kind: 'exists', unsure: false });
    }`);
    await expect(target.apply(change, patience())).rejects.toMatchObject({ kind: 'exists', unsure: false });
  });

  test('hangs is given up soon after the time limit, and may have done it', async () => {
    const target = await having('apply: () => new Promise(() => {})');
    const begin = performance.now();
    await expect(target.apply(change, AbortSignal.timeout(100))).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: true,
      message: expect.stringMatching(/did not answer within the time limit$/),
    });
    expect(performance.now() - begin).toBeLessThan(3000);
  });

  test('fails long after it was given up harms nobody', async () => {
    const target = await having(
      `apply: () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 900))`,
    );
    await expect(target.apply(change, AbortSignal.timeout(50))).rejects.toMatchObject({ kind: 'unavailable' });
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', hear);
    await new Promise((resolve) => setTimeout(resolve, 700));
    process.off('unhandledRejection', hear);
    expect(unhandled).toEqual([]);
  });

  test('hears of the time limit says itself what became of it', async () => {
    const heeding = (then: string) =>
      having(`apply: (change, signal) => new Promise((resolve, reject) => signal.onabort = () => { ${then} })`);
    const done = await heeding('resolve({ remoteId: change.remoteId })');
    expect(await done.apply(change, AbortSignal.timeout(50))).toEqual({ remoteId: '42' });
    const aborted = await heeding('reject(signal.reason)');
    await expect(aborted.apply(change, AbortSignal.timeout(50))).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: true,
    });
    const sure = await heeding(`reject(new TargetError('unavailable', 'nothing was sent'))`);
    await expect(sure.apply(change, AbortSignal.timeout(50))).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: false,
    });
  });

  test('hangs while it is read is given up as well, and nothing was done', async () => {
    const target = await having(
      `read: () => new Promise(() => {}), find: () => new Promise(() => {}), scan: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) })`,
    );
    const soon = () => AbortSignal.timeout(50);
    const late = { kind: 'unavailable', unsure: false };
    await expect(target.read?.({ remoteId: '1' }, [], soon())).rejects.toMatchObject(late);
    await expect(target.find?.([], [], soon())).rejects.toMatchObject(late);
    await expect(Array.fromAsync(target.scan?.('person', [], soon()) ?? [])).rejects.toMatchObject(late);
  });

  test('hangs while it is closed keeps nobody waiting', async () => {
    const target = await having('close: () => new Promise(() => {})', { timeout: '100ms' });
    await target.close();
    expect(modules.lines.flat()).toContainEqual(expect.stringMatching(/was left as it is$/));
  });
});

test('no message shows a secret of the target, or the value of a secret attribute, or a password', async () => {
  const target = await having(
    `apply: async ({ attributes }) => { throw new Error(secret('token') + ' and ' + attributes.pin[0] + ' were refused'); },
     setPassword: async (entry, { next }) => { throw new TargetError('rejected', next + ' is too weak'); }`,
    {
      secrets: { token: 'hush-hush' },
      entities: { person: { id: '{id}', attributes: { pin: { from: 'pin', secret: true } } } },
    },
  );
  await expect(target.apply(change, patience())).rejects.toMatchObject({
    message: expect.stringMatching(/failed: \*{8} and \*{8} were refused$/),
  });
  const password = { kind: 'reset', next: 'sesam', former: undefined } as const;
  await expect(
    target.setPassword?.({ entity: 'person', remoteId: '1' }, password, patience(), { written: {} }),
  ).rejects.toMatchObject({
    kind: 'rejected',
    message: '******** is too weak',
  });
});

describe('what a module says of entries', () => {
  test('is looked at: attributes without values are none, and a wrong form is told', async () => {
    const target = await having(`
      read: async ({ remoteId }) => remoteId === 'good' ? { remoteId, attributes: { a: ['x', { base64: 'AAE=' }], b: [] }, more: 1 }
        : remoteId === 'bad' ? { remoteId, attributes: { a: 'x' } } : undefined,
      find: async () => ({ key: [] }),
      async *scan() { yield { remoteId: '1', attributes: {} }; yield { remoteId: '2' }; }`);
    const read = (remoteId: string) => target.read?.({ remoteId }, ['a'], patience());
    expect(await read('good')).toEqual({ remoteId: 'good', attributes: { a: ['x', { base64: 'AAE=' }] } });
    expect(await read('nobody')).toBeUndefined();
    await expect(read('bad')).rejects.toMatchObject({
      kind: 'unknown',
      unsure: false,
      message: expect.stringMatching(/attributes\.a is not right/),
    });
    await expect(target.find?.([], [], patience())).rejects.toThrow(/expected a Map of keys/);
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const { remoteId } of target.scan?.('person', [], patience()) ?? []) seen.push(remoteId);
      })(),
    ).rejects.toThrow(/attributes is not right/);
    expect(seen).toEqual(['1']);
  });

  test('is let go of when nobody wants more of it', async () => {
    const target = await having(
      `async *scan() { try { for (;;) yield { remoteId: '1', attributes: {} }; } finally { globalThis.left = true; } }`,
    );
    for await (const _ of target.scan?.('person', [], patience()) ?? []) break;
    await new Promise(setImmediate);
    expect(Reflect.get(globalThis, 'left')).toBe(true);
  });
});

describe('rules of a module', () => {
  test('are those of a system that takes everything to the letter, where it has none', async () => {
    const target = await modules.of(well);
    expect(target.normalise('A ')).toBe('A ');
    expect(target.same('a', ['x', 'y'], ['y', 'x'])).toBe(true);
    expect(target.same('a', ['x'], ['X'])).toBe(false);
    expect(target.aside('a', '1')).toMatch(/^a~[0-9a-f]{24}$/);
    expect(
      ['read', 'find', 'scan', 'setPassword', 'expect', 'whole', 'flush'].filter((name) => name in target),
    ).toEqual([]);
  });

  test('are its own where it has some, and do without it where they fail', async () => {
    const target = await having(`
      mark: '!', normalise(id) { if (id === 'odd') throw new Error('no such id'); return this.mark + id.toLowerCase(); },
      same: (name) => { if (name === 'odd') throw new Error('hm: x'); return true; },
      aside: () => 5`);
    expect(target.normalise('A')).toBe('!a');
    expect(() => target.normalise('odd')).toThrow(expect.objectContaining({ kind: 'rejected' }));
    expect(() => target.normalise('a\0b')).toThrow(expect.objectContaining({ kind: 'rejected' }));
    expect(target.same('even', ['x'], ['y'])).toBe(true);
    expect(target.same('odd', ['x'], ['y'])).toBe(false);
    expect(modules.lines).toContainEqual([{ reason: 'hm: ********' }, expect.stringMatching(/^same of .* left out$/)]);
    expect(target.aside('a', '1')).toMatch(/^a~/);
  });
});

test('what a module hands on for the write-back is something that the database takes', async () => {
  const target = await having(
    `apply: async ({ remoteId }) => ({ remoteId, data: { text: 'a\\0b', list: [1, null, { x: true }] } })`,
  );
  expect((await target.apply(change, patience())).data).toEqual({ text: 'ab', list: [1, null, { x: true }] });
  const odd = await having('apply: async ({ remoteId }) => ({ remoteId, data: { big: 1n } })');
  await expect(odd.apply(change, patience())).rejects.toMatchObject({ kind: 'unknown', unsure: true });
});

test('everything else that a module has is handed on', async () => {
  const target = await having(`
    whole: true, merged: ['objectClass'],
    apply: async (change, signal, whole) => ({ remoteId: whole.desired.a[0], stableId: 's' }),
    read: async ({ remoteId, stableId }) => ({ remoteId, stableId, attributes: {}, createdByUs: true }),
    expect: (identity) => { globalThis.expected = identity; },
    mistakes: async () => ['cards.csv:1: no header'],
    base: async () => 'dc=x',
    search: async (filter, { limit }) => Array.from({ length: limit }, () => ({ remoteId: filter, attributes: {} })),
    flush: async () => { throw new TargetError('unavailable', 'the disk is full', { retryAfter: Number.NaN }); },
    normaliseReference: (value) => value.toUpperCase()`);
  expect(target).toMatchObject({ whole: true, merged: ['objectClass'] });
  const whole = { desired: { a: ['other'] }, written: {} };
  expect(await target.apply(change, patience(), whole)).toEqual({ remoteId: 'other', stableId: 's' });
  const entry = { remoteId: '1', stableId: 's' };
  expect(await target.read?.(entry, [], patience())).toEqual({ ...entry, attributes: {}, createdByUs: true });
  target.expect?.('this one');
  expect(Reflect.get(globalThis, 'expected')).toBe('this one');
  expect(await target.mistakes?.()).toEqual(['cards.csv:1: no header']);
  expect(await target.base?.(patience())).toBe('dc=x');
  expect(await target.search?.('f', { limit: 2 }, patience())).toHaveLength(2);
  await expect(target.flush?.(patience())).rejects.toMatchObject({ kind: 'unavailable', retryAfter: undefined });
  expect(target.normaliseReference?.('a')).toBe('A');
});

test('secret values of an update, and of the entry that it is a change of, are masked as well', async () => {
  const target = await having(
    `apply: async ({ changes }, signal, { desired, written }) => {
    throw new Error([changes[0].values[0], desired.pin[0], written.pin[0].base64].join(' '));
  }`,
    { entities: { person: { id: '{id}', attributes: { pin: { from: 'pin', secret: true }, name: '{name}' } } } },
  );
  const update: Change = {
    operation: 'update',
    entity: 'person',
    remoteId: '42',
    renameTo: '43',
    changes: [
      { attribute: 'pin', action: 'replace', values: ['1111'] },
      { attribute: 'name', action: 'replace', values: ['A'] },
    ],
  };
  const whole = { desired: { pin: ['2222'], name: ['A'] }, written: { pin: [{ base64: 'MzMz' }] } };
  await expect(target.apply(update, patience(), whole)).rejects.toThrow('failed: ******** ******** ********');
});

test('a secret file that cannot be read is told in words, and no reason to fail otherwise', async () => {
  const target = await having(`apply: async () => secret('token'), ping: async () => { throw new Error('down'); }`, {
    secrets: { token: { file: '/nowhere/token' } },
  });
  await expect(target.apply(change, patience())).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/^cannot read the secret file \/nowhere\/token/),
  });
  await expect(target.ping(patience())).rejects.toThrow('failed: down');
});

test('a scan of what cannot be walked through is told, and an aborted one does not begin', async () => {
  const none = await having('scan: () => undefined');
  await expect(Array.fromAsync(none.scan?.('person', [], patience()) ?? [])).rejects.toThrow(
    'expected an async iterable',
  );
  const list = await having('scan: () => []');
  await expect(Array.fromAsync(list.scan?.('person', [], patience()) ?? [])).rejects.toMatchObject({ kind: 'unknown' });
  await expect(Array.fromAsync(none.scan?.('person', [], AbortSignal.abort()) ?? [])).rejects.toMatchObject({
    kind: 'unavailable',
    unsure: false,
  });
});
