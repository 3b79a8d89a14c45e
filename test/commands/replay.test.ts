import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { replayCommand } from '../../src/commands/replay.ts';
import { type Administrator, createAdministrator } from './administrator.ts';

let admin: Administrator;
beforeAll(async () => {
  admin = await createAdministrator();
});
afterAll(() => admin.close());
beforeEach(async () => {
  await admin.db.database.query('truncate registry.person, staffetta.delivery, staffetta.link');
  await admin.db.database.query(
    `insert into registry.person (id, uid) select i, 'u' || i from generate_series(1, 3) i`,
  );
});

const replay = (...args: string[]) => admin.run(replayCommand(), ...args);
const owed = async () =>
  (await admin.db.query(`select target || ' ' || key as id from staffetta.delivery order by target, key`)).map(
    ({ id }) => id,
  );
function keyFile(content: string | Buffer): string {
  const file = join(admin.folder, 'keys');
  writeFileSync(file, content);
  return file;
}

describe('replay', () => {
  test('queues keys and says so one by one, with the reason and the user of the operating system', async () => {
    const { stdout, exitCode } = await replay('person', '1', '02', '--target', 'directory', '--reason', 'ticket 7');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/directory +person +1 +queued: not on the target yet\ndirectory +person +2 +queued/);
    expect(await admin.db.query('select distinct last_cause, last_actor from staffetta.delivery')).toEqual([
      { last_cause: 'replay: ticket 7', last_actor: 'carla' },
    ]);
  });

  test('takes keys from a file: CR LF, blank lines, doubles, no line end at the end', async () => {
    const { stdout } = await replay(
      'person',
      '--keys-from',
      keyFile('1\r\n\r\n  \n2\n1\n3'),
      '--target',
      'directory',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({ queued: 3, summary: [{ target: 'directory', deliveries: 3 }] });
    expect(await owed()).toEqual(['directory 1', 'directory 2', 'directory 3']);
  });

  test('takes keys from standard input', async () => {
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      [cli, 'replay', 'person', '--keys-from', '-', '--target', 'badge', '--json'],
      {
        cwd: admin.folder,
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    child.stdin.end('1\n3\n');
    expect(await json(child.stdout)).toMatchObject({ queued: 2 });
    expect(await owed()).toEqual(['badge 1', 'badge 3']);
  });

  test('takes a file of any length, and sums it up', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => index + 1);
    const { stdout } = await replay('person', '--keys-from', keyFile(keys.join('\n')), '--target', 'directory');
    expect(stdout).toMatch(/directory +person +3 +queued: not on the target yet/);
    expect(stdout).toMatch(/directory +person +2497 +queued, though there is nothing to do/);
    expect((await owed()).length).toBe(2500);
  });

  test.each([
    ['a NUL', '1\n2\0\n', /line 2: a key cannot contain a NUL byte/],
    ['bytes that are no text', Buffer.from([0x31, 0x0a, 0xff, 0xfe]), /not UTF-8 text/],
    ['no key at all', '\n \n', /There is no key in/],
    ['a key of another type', '1\nx\n', /"x" is not a key of entity "person"/],
  ])('refuses a file with %s', async (_, content, message) => {
    const { exitCode, stderr } = await replay('person', '--keys-from', keyFile(content));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(await owed()).toEqual([]);
  });

  test('wants exactly one way to say which keys', async () => {
    for (const args of [[], ['1', '--all'], ['--all', '--keys-from', 'x']])
      expect(await replay('person', ...args)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('Which keys?'),
      });
    expect(await replay('person', '--keys-from', join(admin.folder, 'none'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('cannot be read'),
    });
  });

  test('of all queues everybody', async () => {
    const { stdout } = await replay('person', '--all', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ queued: 6 });
    expect((await owed()).length).toBe(6);
  });
});

describe('replay --wait', () => {
  /** Plays the daemon: does this to the deliveries as soon as they are there. */
  const daemon = async (sql: string) => {
    await expect.poll(async () => (await owed()).length).toBeGreaterThan(0);
    await admin.db.query(sql);
  };

  test.each([
    ['of keys', ['1', '2']],
    ['of all', ['--all']],
  ])('%s stays until the deliveries are gone', async (_, which) => {
    const [outcome] = await Promise.all([
      replay('person', ...which, '--target', 'directory', '--wait'),
      daemon('delete from staffetta.delivery'),
    ]);
    expect(outcome).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/[23] done, 0 failed, 0 unfinished$/) });
  });

  test.each([
    ['of keys', ['1', '2', '3']],
    ['of all', ['--all']],
  ])('%s fails where one is parked, and says why', async (_, which) => {
    const [{ exitCode, stdout }] = await Promise.all([
      replay('person', ...which, '--target', 'directory', '--wait', '--json'),
      daemon(
        `with parked as (update staffetta.delivery set state = 'parked', error = 'sn is missing' where key = '2') delete from staffetta.delivery where key <> '2'`,
      ),
    ]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      queued: 3,
      done: 2,
      failed: 1,
      unfinished: 0,
      failures: [{ target: 'directory', entity: 'person', key: '2', error: 'sn is missing' }],
    });
  });

  test('gives up when the time is over, or the target is stopped', async () => {
    expect(await replay('person', '1', '--target', 'directory', '--wait', '--timeout', '100ms')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/0 done, 0 failed, 1 unfinished$/),
    });
    await admin.db.query(`select staffetta.pause('badge', 'moving house')`);
    const { exitCode, stdout } = await replay('person', '1', '--target', 'badge', '--wait');
    await admin.db.query(`select staffetta.resume('badge')`);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('the target is paused: moving house');
  });
});
