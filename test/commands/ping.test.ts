import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDirectory } from '../setup/directory.ts';
import { staffetta } from './staffetta.ts';

const folder = mkdtempSync(join(tmpdir(), 'staffetta-ping-'));
let directory: Awaited<ReturnType<typeof createDirectory>>;

beforeAll(async () => {
  directory = await createDirectory();
  writeFileSync(join(folder, 'password'), directory.bind.password);
  writeFileSync(join(folder, 'wrong'), 'not the password');
  const target = (password: string) => `
    type: ldap
    url: ${directory.url}
    bind: { dn: "${directory.bind.dn}", password: { file: ${password} } }
    entities: {}`;
  writeFileSync(
    join(folder, 'staffetta.yml'),
    `version: 1
database: { url: postgres://localhost/unused }
entities: {}
targets:
  good: ${target('password')}
  bad: ${target('wrong')}
  lost: ${target('none')}
`,
  );
});
afterAll(async () => {
  await directory.close();
  rmSync(folder, { recursive: true });
});

describe('staffetta ping', () => {
  test('of a target that answers is ok', async () => {
    const { exitCode, stdout, stderr } = await staffetta(folder, 'ping', 'good', '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([
      { target: 'good', result: 'ok', ms: expect.any(Number), summary: expect.stringMatching(/\w/) },
    ]);
  });

  test('of all tells each, and fails if any failed, showing no password', async () => {
    const { exitCode, stdout } = await staffetta(folder, 'ping');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^target +result +ms +summary\ngood +ok .*\nbad +failed .*\nlost +failed .*none: it does not exist\n$/,
    );
    expect(stdout).not.toContain(directory.bind.password);
    expect(stdout).not.toContain('not the password');
  });

  test('of an unknown target names those there are', async () => {
    expect(await staffetta(folder, 'ping', 'god')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'staffetta.yml has no target "god". Did you mean good? It has: good, bad, lost.\n',
    });
  });
});
