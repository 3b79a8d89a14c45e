import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { type Demonstration, demonstrate } from './demonstration.ts';

const run = promisify(execFile);

describe('the demo', { timeout: 90_000 }, () => {
  const started: Demonstration[] = [];
  const demo = async (...args: string[]) => {
    const one = await demonstrate(...args);
    started.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.close()));
  });

  test('stays up, shows what the lines it prints do, and ends with Ctrl-C', async () => {
    const { child, ended, printed, shows, leftBehind } = await demo('--people', '60', '--groups', '3');
    await shows(/Ctrl-C ends the demo/);
    const lines = printed.stdout.split('\n').map((line) => line.trim());
    const line = (start: string) => lines.find((one) => one.startsWith(start)) ?? '';

    const [, url, statement] = /^psql (\S+) -c "(.*)"$/.exec(line('psql ')) ?? [];
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement ?? '');
    await shows(/^\S+ +\d+ ms {2}person 42 +update +uid=.* +.*givenName/m);
    expect((await run('sh', ['-c', line('ldapsearch ')])).stdout).toContain('givenName: Grace\n');
    const status = await run('sh', ['-c', line('. ')]);
    expect(status.stdout).toMatch(/^directory +person +active +60 /m);

    await client.query('update registry.person set phone = $1', ['+39 1']);
    await shows(/^… and \d+ more$/m);
    await client.query('delete from registry.person where id = 42');
    await shows(/person 42 +remove/);
    await client.end();

    child.kill('SIGINT');
    expect(await ended, printed.stderr).toBe(0);
    expect(printed.stdout).toMatch(/Stopped\. Nothing is left behind\.\n$/);
    expect(printed.stderr).toBe('');
    expect(await leftBehind()).toEqual([]);
  });

  test.for([
    ['SIGINT', 130, /PostgreSQL: /],
    ['SIGTERM', 143, /mapped/],
  ] as const)('that is not ready yet ends with %s, too', async ([signal, code, moment]) => {
    const { child, ended, printed, shows, leftBehind } = await demo();
    await shows(moment);
    child.kill(signal);
    expect(await ended, printed.stderr).toBe(code);
    expect(printed.stderr).toBe('');
    expect(printed.stdout).toMatch(/Stopped\. Nothing is left behind\.\n$/);
    expect(await leftBehind()).toEqual([]);
  });
});
