import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createScratch } from '../../src/demo/scratch.ts';

const OWNER = `
  import { createScratch } from ${JSON.stringify(new URL('../../src/demo/scratch.ts', import.meta.url).href)};
  const scratch = await createScratch('test');
  const program = scratch.start('sleep', ['1000'], { log: 'log' });
  console.log(scratch.path + ' ' + program.pid);
  if (process.argv[1] === 'stays') setInterval(() => undefined, 1000);
`;

/** Starts an owner of a scratch folder with one program in it; `stays` until it is ended, `leaves` at once. */
async function startOwner(manner: 'stays' | 'leaves'): Promise<{ owner: ChildProcess; path: string; pid: number }> {
  const args = ['--input-type=module', '--eval', OWNER, '--', manner];
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(owner.stdout, 'data');
  const [path = '', pid] = String(line).trim().split(' ');
  return { owner, path, pid: Number(pid) };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a scratch folder and its programs', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('are gone after their owner got %s', async (signal) => {
    const { owner, path, pid } = await startOwner('stays');
    expect([existsSync(path), runs(pid)]).toEqual([true, true]);
    owner.kill(signal);
    await expect.poll(() => [existsSync(path), runs(pid)], { timeout: 15_000 }).toEqual([false, false]);
  });

  test('neither keep their owner alive nor outlive it', async () => {
    const { owner, path, pid } = await startOwner('leaves');
    if (owner.exitCode === null) await once(owner, 'exit');
    expect(owner.exitCode).toBe(0);
    await expect.poll(() => [existsSync(path), runs(pid)], { timeout: 15_000 }).toEqual([false, false]);
  });

  test('are gone when it is removed, also a program that ignores the signal to end, and its children', async () => {
    const scratch = await createScratch('test', 0.1);
    await writeFile(join(scratch.path, 'file'), '');
    const program = scratch.start('sh', ['-c', 'trap "" INT; sleep 1000 & echo $!; wait'], { log: 'log' });
    await expect.poll(() => scratch.printed('log')).toMatch(/^\d+$/);
    const child = Number(await scratch.printed('log'));
    await scratch.remove();
    expect(existsSync(scratch.path)).toBe(false);
    await expect.poll(() => [program.signalCode, runs(child)], { timeout: 15_000 }).toEqual(['SIGKILL', false]);
  });

  test('say what a failing program printed', async () => {
    const scratch = await createScratch('test');
    const failing = scratch.run('sh', ['-c', 'echo no luck; exit 3'], { log: 'log' });
    await expect(failing).rejects.toThrow('sh did not do its work (exit code 3). It says:\nno luck');
    const missing = scratch.run('no-such-program', [], { log: 'log' });
    await expect(missing).rejects.toThrow(
      'no-such-program did not do its work (could not be started). It says:\nno luck\nspawn no-such-program ENOENT',
    );
    await scratch.remove();
  });
});
