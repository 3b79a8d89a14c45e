import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { staffetta } from './staffetta.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'staffetta-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('staffetta init', () => {
  test('writes a file that loads, its editor schema found', async () => {
    expect(await staffetta(folder, 'init')).toMatchObject({ exitCode: 0, stderr: '' });
    const file = join(folder, 'staffetta.yml');
    const { config, warnings } = loadConfig(file, {
      DATABASE_URL: 'postgres://localhost/x',
      LDAP_URL: 'ldaps://ldap.example.org',
      LDAP_BIND_DN: 'cn=admin,dc=example,dc=org',
      LDAP_PASSWORD: 'x',
      LDAP_SUFFIX: 'dc=example,dc=org',
    });
    expect(warnings).toEqual([]);
    expect(config.targets.directory?.entities.person).toMatchObject({ dn: 'uid={uid},ou=people,dc=example,dc=org' });
    const [, schema = ''] = /^# yaml-language-server: \$schema=(.*)/.exec(readFileSync(file, 'utf8')) ?? [];
    expect(existsSync(resolve(dirname(file), schema))).toBe(true);
  });

  test('names the variables that are missing, all at once, when its file is used straight away', async () => {
    await staffetta(folder, 'init');
    const { exitCode, stderr } = await staffetta(folder, 'ping');
    expect(exitCode).toBe(2);
    expect(stderr.match(/environment variable \w+ is not set/g)).toHaveLength(5);
  });

  test('keeps an existing file, unless it is forced', async () => {
    const file = join(folder, 'staffetta.yml');
    writeFileSync(file, 'mine');
    expect(await staffetta(folder, 'init')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: './staffetta.yml exists already; `staffetta init --force` overwrites it.\n',
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await staffetta(folder, 'init', '--force')).exitCode).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('version: 1');
  });

  test('writes where it is told, and answers in JSON', async () => {
    const { stdout } = await staffetta(folder, 'init', '--config', 'other.yml', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ written: 'other.yml' });
    expect(existsSync(join(folder, 'other.yml'))).toBe(true);
  });

  test('says what is wrong with the place', async () => {
    expect(await staffetta(folder, 'init', '--config', 'none/x.yml')).toMatchObject({
      exitCode: 2,
      stderr: 'The folder none does not exist.\n',
    });
  });
});

describe('the command line', () => {
  test('shows its help and its version', async () => {
    expect((await staffetta(folder, '--help')).stdout).toMatch(/Set up:\n {2}init /);
    expect(await staffetta(folder, '--version')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  test('exits 2 on wrong usage', async () => {
    expect(await staffetta(folder, 'inti')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Did you mean init?'),
    });
    expect((await staffetta(folder, 'init', '--bogus')).exitCode).toBe(2);
    expect((await staffetta(folder)).exitCode).toBe(2);
  });

  test('is quiet when its reader stops early', async () => {
    const child = spawn(process.execPath, [resolve('src/cli.ts'), '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const said = text(child.stderr);
    const [exitCode] = await once(child, 'exit');
    expect({ exitCode, said: await said }).toEqual({ exitCode: 0, said: '' });
  });
});
