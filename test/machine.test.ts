import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { isAlive, thisMachine } from '../src/machine.ts';
import { until } from './setup/until.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
const start = (command: string, ...args: string[]) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return child;
};
const pidOf = ({ pid }: ChildProcess) => pid ?? Number.NaN;

describe('a process of this machine', () => {
  test('is alive while it runs, also while it is stopped, and dead once it was killed', async () => {
    const child = start('sleep', '60');
    await once(child, 'spawn');
    expect(isAlive(pidOf(child))).toBe(true);
    child.kill('SIGSTOP');
    expect(isAlive(pidOf(child))).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(pidOf(child))).toBe(false);
  });

  test('is dead though nobody has waited for it', async () => {
    const child = start('sh', '-c', 'sleep 0.01 & echo $!; exec sleep 60'); // which waits for nobody
    const [printed] = await once(child.stdout ?? child, 'data');
    const zombie = Number(String(printed));
    await until(
      () => isAlive(zombie),
      (alive) => !alive,
    );
    expect(process.kill(zombie, 0)).toBe(true);
  });

  test('belongs to the same machine for every process of it', async () => {
    const module = new URL('../src/machine.ts', import.meta.url).href;
    const child = start(
      process.execPath,
      '-e',
      `import('${module}').then(({ thisMachine }) => console.log(thisMachine()))`,
    );
    const [printed] = await once(child.stdout ?? child, 'data');
    expect(String(printed).trim()).toBe(String(thisMachine()));
  });
});
