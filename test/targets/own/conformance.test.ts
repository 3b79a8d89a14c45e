import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cases } from '../../../src/conformance/conformance.ts';

/** `node --test FILE`, as the author of a target runs it: the lines that it prints, in TAP, and how it ended. */
function nodeTest(file: string): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH }, maxBuffer: Number.MAX_SAFE_INTEGER };
    const child = execFile(
      process.execPath,
      ['--test', '--test-reporter=tap', join(import.meta.dirname, file)],
      options,
      (_, stdout) => resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });
}

test('the target of the manual conforms, under Node’s own test runner', { timeout: 120_000 }, async () => {
  const { code, stdout } = await nodeTest('cards.conformance.ts');
  expect(stdout.match(/^ *not ok .*/gm) ?? []).toEqual([]);
  expect(code).toBe(0);
  const ran = stdout.match(/^ {4,}ok \d+ - /gm) ?? [];
  expect(ran).toHaveLength(cases.length);
  expect(stdout).toMatch(/ok \d+ - finds several entries that match one identity # SKIP find: cards are never adopted/);
  expect(stdout).not.toContain('does not say why');
});
