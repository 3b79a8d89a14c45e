/** Staffetta where the development dependencies were left out, as `npm install --omit=dev` does. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { spawnStaffetta } from '../setup/process.ts';

const left = Object.keys(manifest.devDependencies);

/** Has Node find none of them. */
const without = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const left = new Set(${JSON.stringify(left)});
  registerHooks({
    resolve(specifier, context, next) {
      const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
      if (!left.has(name)) return next(specifier, context);
      throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
`)}`;

async function staffetta(...args: string[]) {
  const { ended, printed } = spawnStaffetta(args, {}, ['--import', without]);
  return { exitCode: await ended, ...printed };
}

test('every command but the demo is there', async () => {
  const { exitCode, stdout, stderr } = await staffetta('--help');
  expect(stderr).toBe('');
  expect(stdout).toContain('status');
  expect(exitCode).toBe(0);
});

test('the demo says what it lacks', async () => {
  const { exitCode, stderr } = await staffetta('demo', '--once');
  expect(stderr).toMatch(
    /^The demo needs packages that are not installed \(Cannot find package [\w/-]+\)\. Run `npm install`/,
  );
  expect(exitCode).toBe(2);
});

test('nothing but the demo imports them', () => {
  const root = join(import.meta.dirname, '../..');
  const files = globSync('src/**/*.ts', { cwd: root, exclude: ['src/demo/**'] });
  const imports = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import\() ?'([^'.][^']*)'/g)].map(
      ([, name = '']) => name,
    ),
  );
  expect(imports).toContain('undici');
  expect(imports.filter((name) => left.some((other) => name === other || name.startsWith(`${other}/`)))).toEqual([]);
});
