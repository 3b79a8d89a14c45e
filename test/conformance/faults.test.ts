/** The suite is itself tried: a target that does everything right passes, and one that does a thing wrong does not. */
import { expect, test } from 'vitest';
import { lacking } from '../../src/conformance/bench.ts';
import { type Bench, cases, perform } from '../../src/conformance/conformance.ts';
import { createMemory, faults } from './memory.ts';

/** The names of the cases that fail. */
async function failing(bench: Bench): Promise<string[]> {
  const failed: string[] = [];
  for (const one of cases)
    await perform(one, bench).catch(() => {
      failed.push(one.name);
    });
  return failed;
}

test('a target that does everything right passes every case', async () => {
  expect(await failing(createMemory())).toEqual([]);
});

test.each(faults)('a target that %s fails', { timeout: 60_000 }, async (fault) => {
  const bench = createMemory(fault);
  const without = fault === 'waits for ever' ? {} : { hang: 'it takes half a second' };
  expect(await failing({ ...bench, without })).not.toEqual([]);
});

test('no two cases have the same name', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

test('a case that a bench cannot show is left out, with the reason that it gives', async () => {
  const memory = createMemory();
  const { hang: _, ...bench } = memory;
  const [one] = cases.filter(({ needs }) => needs.includes('hang'));
  expect(one && (await perform(one, bench))).toBe('hang: the bench has no `hang`, and does not say why');
  expect(one && (await perform(one, { ...bench, without: { hang: 'it never does' } }))).toBe('hang: it never does');
  expect(lacking(memory, 'hang')).toBeUndefined();
  const { read: _read, ...target } = memory.target;
  expect(lacking({ ...memory, target }, 'read')).toBe('the target has no `read`');
  const { setPassword: _setPassword, ...poorer } = memory.target;
  expect(lacking({ ...memory, target: poorer }, 'setPassword')).toBe('the target takes no passwords');
});
