import { describe, expect, test } from 'vitest';
import { staffetta } from './staffetta.ts';

describe('staffetta demo', () => {
  test.for([
    [['--json'], '--json goes with --once'],
    [['--people', '12'], 'Expected a whole number from 50 on.'],
    [['--groups', 'many'], 'Expected a whole number from 3 on.'],
  ] as const)('refuses %j', async ([args, message]) => {
    const { exitCode, stderr } = await staffetta('.', 'demo', ...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});
