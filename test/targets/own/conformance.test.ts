import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cases } from '../../../src/conformance/conformance.ts';

const root = join(import.meta.dirname, '../../..');

/** A folder of somebody who writes a target, with Staffetta installed as `npm link` does. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'staffetta-author-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(root, join(folder, 'node_modules', 'staffetta'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of ['cards.ts', 'cards.conformance.ts'])
    await copyFile(join(import.meta.dirname, name), join(folder, name));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a program prints, in that folder, and how it ends. */
function run(...args: readonly string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { PATH: process.env.PATH }, maxBuffer: Number.MAX_SAFE_INTEGER };
    const child = execFile(process.execPath, args, options, (_, stdout) =>
      resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });
}

test('the target of the manual conforms, where its author runs the suite', { timeout: 120_000 }, async () => {
  const { code, stdout } = await run('--test', '--test-reporter=tap', 'cards.conformance.ts');
  expect(stdout.match(/^ *not ok .*/gm) ?? []).toEqual([]);
  expect(code).toBe(0);
  expect(stdout.match(/^ {4,}ok \d+ - /gm) ?? []).toHaveLength(cases.length);
  expect(stdout).toMatch(/ok \d+ - finds several entries that match one identity # SKIP find: cards are never adopted/);
  expect(stdout).not.toContain('does not say why');
});

test('a target that does it wrong is found out there', { timeout: 120_000 }, async () => {
  await writeFile(
    join(folder, 'wrong.ts'),
    `import cards from './cards.ts';
export default async (options: object, context: never) => {
  const target = await cards({ ...options }, context);
  return { ...target, read: async () => undefined };
};`,
  );
  const suite = await readFile(join(folder, 'cards.conformance.ts'), 'utf8');
  await writeFile(join(folder, 'wrong.conformance.ts'), suite.replace("'cards.ts'", "'wrong.ts'"));
  const { code, stdout } = await run('--test', '--test-reporter=tap', 'wrong.conformance.ts');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ *not ok \d+ - reads back what it created, and only the attributes that were asked for$/m);
});

test('its author has types', { timeout: 120_000 }, async () => {
  const compilerOptions = {
    target: 'esnext',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['cards.ts'] }));
  const { code, stdout } = await run(join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
  expect(stdout).toBe('');
  expect(code).toBe(0);
});
