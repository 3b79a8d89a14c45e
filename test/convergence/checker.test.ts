import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createDatabase } from '../setup/database.ts';
import { bugs, filesOf, isBugName, withBug } from './bugs.ts';
import { hunt, hunts } from './checker.ts';

const names = Object.keys(bugs).filter(isBugName);

describe('each planted bug', () => {
  test.each(names)('can be planted: %s', async (name) => {
    for (const file of filesOf(name)) {
      const source = await readFile(new URL(`../../src/${file}`, import.meta.url), 'utf8');
      expect(withBug(name, file, source)).not.toBe(source);
    }
  });

  test('is planted only where what it changes is still there, once', () => {
    const [name] = names;
    expect.assert(name !== undefined);
    const [file = ''] = filesOf(name);
    expect(() => withBug(name, file, 'something else')).toThrow(/contains this 0 times, expected once/);
  });

  test.each(names.filter((name) => hunts[name].quick))(
    'makes a history fail that converges without it: %s',
    { timeout: 240_000 },
    async (name) => {
      expect(await hunt(name, createDatabase)).toEqual({
        found: expect.any(Number),
        without: [],
      });
    },
  );
});
