import { expect, test } from 'vitest';
import { spawnStaffetta } from './setup/process.ts';

const hook = `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) { const found = next(name, context); console.error(found.url); return found; } });`;

/** The packages that a command loads. */
async function packagesOf(...args: string[]): Promise<Set<string>> {
  const watch = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
  const { ended, printed } = spawnStaffetta([...args, '--help'], {}, watch);
  expect(await ended).toBe(0);
  return new Set([...printed.stderr.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(([, name = '']) => name));
}

test('a command loads what it needs, and not what others do: explain answers while a person waits', async () => {
  const [explain, run] = await Promise.all([packagesOf('explain'), packagesOf('run')]);
  const heavy = new Set(['graphile-worker', 'pino']);
  // These come with the first target of a kind that needs them, and with a migration.
  const ofOthers = new Set(['ldapts', 'undici', 'kysely']);
  expect(run.intersection(heavy)).toEqual(heavy);
  expect(explain.intersection(heavy)).toEqual(new Set());
  for (const loaded of [explain, run]) expect(loaded.intersection(ofOthers)).toEqual(new Set());
  expect(explain).toContain('pg');
});

test('help shows every command, under its heading', async () => {
  const { ended, printed } = spawnStaffetta(['--help'], {});
  expect(await ended).toBe(0);
  expect(printed.stdout).toMatch(/Set up:\n +init .*Look:\n +status .*Stop and go:.* accept-target /s);
});

test('an unknown command is a mistake, and the nearest one is named', async () => {
  const { ended, printed } = spawnStaffetta(['explian'], {});
  expect(await ended).toBe(2);
  expect(printed.stderr).toContain("unknown command 'explian'");
  expect(printed.stderr).toContain('Did you mean explain?');
});
