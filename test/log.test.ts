import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const log = new URL('../src/log.ts', import.meta.url).href;

/** What a program writes to standard error when it logs one line of each level. */
async function logged(level?: string): Promise<{ msg: string; time: string; target?: string }[]> {
  const program = `const { createLog } = await import('${log}'); const log = createLog();
    log.debug('detail'); log.info({ target: 'directory' }, 'running'); log.error('broken');`;
  const env = { ...process.env, ...(level === undefined ? {} : { STAFFETTA_LOG: level }) };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env,
  });
  expect(stdout).toBe('');
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('where nobody watches, the log is one JSON object a line, with the time in UTC', async () => {
  const lines = await logged();
  expect(lines.map(({ msg }) => msg)).toEqual(['running', 'broken']);
  expect(lines[0]).toMatchObject({ target: 'directory', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) });
});

test('STAFFETTA_LOG says how much is told', async () => {
  expect((await logged('debug')).map(({ msg }) => msg)).toEqual(['detail', 'running', 'broken']);
  expect((await logged('error')).map(({ msg }) => msg)).toEqual(['broken']);
  expect(await logged('silent')).toEqual([]);
});
