import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../setup/until.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'staffetta-warden-'));
});
afterEach(() => rm(folder, { recursive: true }));

const source = new URL('../../src/programs/process.ts', import.meta.url).href;

/** Starts a process that runs these shell scripts one after the other, and says so once the last one runs. */
async function startOwner(...scripts: readonly string[]) {
  const programs = await Promise.all(
    scripts.map(async (text, index) => {
      const file = join(folder, `${index}.sh`);
      await writeFile(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      return { line: file, file, arguments: [], rest: '', directory: folder };
    }),
  );
  const owner = join(folder, 'owner.mjs');
  await writeFile(
    owner,
    `import { run } from ${JSON.stringify(source)};
    for (const program of ${JSON.stringify(programs)})
      await run(program, '', { env: {}, shell: false, maxOutput: 1000 }, new AbortController().signal);`,
  );
  const child = spawn(process.execPath, [owner], { stdio: 'ignore' });
  return { child, ended: once(child, 'exit') };
}

const pidsIn = async (name: string) =>
  (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

const runs = (pid: string) => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};

test('what a killed process had started ends with it, and what that had started', async () => {
  const { child, ended } = await startOwner('true', 'sleep 600 & echo $! >> pids; echo $$ >> pids; wait');
  const pids = await until(
    () => pidsIn('pids'),
    ({ length }) => length === 2,
  );
  expect(pids.map(runs)).toEqual([true, true]);
  child.kill('SIGKILL');
  await ended;
  await until(
    async () => pids.filter(runs),
    ({ length }) => length === 0,
    { what: 'that nothing of it runs' },
  );
});

test('a process ends by itself although it has run something', async () => {
  const { ended } = await startOwner('true', 'true');
  expect(await ended).toEqual([0, null]);
});
