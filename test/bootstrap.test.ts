import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const BOOTSTRAP = join(import.meta.dirname, '..', 'bootstrap.mjs');

function bootstrap(...args: string[]) {
  const { INIT_CWD: _, npm_lifecycle_event: __, ...env } = process.env;
  return spawnSync(process.execPath, [BOOTSTRAP, ...args], { encoding: 'utf8', env });
}

describe('the bootstrap', () => {
  test('names its commands to who calls it wrongly', () => {
    expect(bootstrap('tests')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'staffetta: expected one of demo, test, coverage, convergence, bench, check, staffetta, found tests\n',
    });
    expect(bootstrap()).toMatchObject({ status: 2, stdout: '' });
  });

  test('runs the product, adds nothing to its output and hands on its exit code', () => {
    expect(bootstrap('staffetta', '--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    expect(bootstrap('staffetta', 'no-such-command')).toMatchObject({ status: 2, stdout: '' });
  });
});
